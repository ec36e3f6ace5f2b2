// SPDX-License-Identifier: Apache-2.0
// Collectives over the launch grid: reduce, broadcast, all_reduce, any number of nodes.
//
// One hart of every node calls them, all in the same order; blocks lie at the same address on every
// node (globals and replicated buffers do). They use semaphores D1_SEMAPHORE_LIBRARY to + 3, which
// are zero again afterwards, and work along a binomial tree of ranks, so that a node waits for at
// most log2(nodes) others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <d1/kernel.hpp>

namespace d1::kernels {

namespace detail {

enum library_semaphore : std::uint32_t {
  reduce_granted = D1_SEMAPHORE_LIBRARY,  // on a child: its parent's scratch is free
  reduce_arrived,                         // on a parent: the child's block is in scratch
  broadcast_ready,                        // on a parent: a child and all below it are ready
  broadcast_arrived                       // on every node but the root
};

inline void post(std::uint32_t rank, library_semaphore semaphore) {
  d1_sem_post(d1_grid_address(rank, semaphore), 1);
}

// Ranks counted from the root, which so becomes rank 0 of the tree.
inline std::uint32_t from_root(std::uint32_t root) {
  const std::uint32_t all = nodes(), me = rank();
  return me >= root ? me - root : me + all - root;
}
inline std::uint32_t to_rank(std::uint32_t place, std::uint32_t root) {
  const std::uint32_t all = nodes();
  return place + root < all ? place + root : place + root - all;
}

}  // namespace detail

// Combines `values` of all nodes, element by element; the root's `values` become the result, those
// of the others are left with partial results. Scratch is as large as values. The order of
// combination depends on the number of nodes alone, so results are reproducible bit by bit.
template <typename T, typename Combine>
void reduce(std::span<T> values, std::span<T> scratch, Combine combine, std::uint32_t root = 0) {
  const std::uint32_t all = nodes(), me = detail::from_root(root);
  for (std::uint32_t step = 1; step < all; step *= 2) {
    if (me & step) {
      d1_sem_wait(detail::reduce_granted, 1);
      const auto to = global_ptr<T>::at(detail::to_rank(me - step, root), scratch.data());
      put(values, to, {.far = static_cast<semaphore_number>(detail::reduce_arrived)}).wait();
      return;
    }
    if (me + step >= all) continue;
    detail::post(detail::to_rank(me + step, root), detail::reduce_granted);
    d1_sem_wait(detail::reduce_arrived, 1);
    const T* const other = scratch.data();
    T* const mine = values.data();
#pragma clang loop vectorize(assume_safety)
    for (std::size_t i = 0; i < values.size(); ++i) mine[i] = combine(mine[i], other[i]);
  }
}

// The root's `values` go to all nodes, by one multicast once all are ready for them.
template <typename T>
void broadcast(std::span<T> values, std::uint32_t root = 0) {
  const std::uint32_t all = nodes(), me = detail::from_root(root);
  if (all == 1) return;
  std::uint32_t children = 0, step = 1;
  for (; step < all && !(me & step); step *= 2) children += me + step < all;
  if (children != 0) d1_sem_wait(detail::broadcast_ready, children);
  if (me != 0) {
    detail::post(detail::to_rank(me - step, root), detail::broadcast_ready);
    d1_sem_wait(detail::broadcast_arrived, 1);
    return;
  }
  multicast(values, values.data(), {0, 0, grid_rows(), grid_columns()},
            {.far = static_cast<semaphore_number>(detail::broadcast_arrived)})
      .wait();
}

// Every node gets the combination of all; the same bits everywhere.
template <typename T, typename Combine>
void all_reduce(std::span<T> values, std::span<T> scratch, Combine combine) {
  reduce(values, scratch, combine);
  broadcast(values);
}

}  // namespace d1::kernels
