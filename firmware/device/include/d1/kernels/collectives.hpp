// SPDX-License-Identifier: Apache-2.0
// Collectives over the launch grid: reduce, broadcast, all_reduce, any number of nodes.
//
// One hart of every node calls them, all in the same order; blocks lie at the same address on every
// node (globals and replicated buffers do). They use semaphores D1_SEMAPHORE_LIBRARY to + 4, which
// are zero again afterwards. Blocks travel along a binomial tree of ranks, so that a node waits for
// at most log2(nodes) others; values of up to a packet along a tree eight wide, without handshakes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <d1/kernel.hpp>

namespace d1::kernels {

namespace detail {

enum library_semaphore : std::uint32_t {
  reduce_granted = D1_SEMAPHORE_LIBRARY,  // on a child: its parent's scratch is free
  reduce_arrived,                         // on a parent: the child's block is in scratch
  broadcast_ready,                        // on a parent: a child and all below it are ready
  broadcast_arrived,                      // on every node but the root
  value_arrived                           // on a parent: a child's value is in its slot
};

inline constexpr std::size_t packet_bytes = 64;

// What all_reduce() of a value keeps on every node. A node is the parent of up to 7 others on each
// level of the tree: those whose ranks differ from its own in one digit to the base of 8 alone, if
// its own digit is zero there and in all places below.
inline constexpr std::uint32_t tree_width = 8, tree_levels = 7;  // 8^7 ranks: an ExaPOD and more
struct alignas(packet_bytes) packet {
  std::byte bytes[packet_bytes];
};
inline packet value_of_child[tree_levels][tree_width - 1];
inline packet value_sent, value_of_all;

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

namespace detail {

// A block of the root to the same place on all other nodes, which wait for broadcast_arrived.
template <typename T>
completion send_to_all(std::span<T> block, semaphore_number done = transfer_semaphore()) {
  return multicast(block, block.data(), {0, 0, grid_rows(), grid_columns()},
                   {.far = static_cast<semaphore_number>(broadcast_arrived), .done = done});
}

// Of the tree of all_reduce() of a value.
inline std::uint32_t children_on_level(std::uint32_t rank, std::uint32_t all, std::uint32_t step) {
  return std::min(tree_width - 1, (all - 1 - rank) / step);
}
inline std::uint32_t children_of(std::uint32_t rank, std::uint32_t all) {
  std::uint32_t children = 0;
  for (std::uint32_t step = 1; step < all && rank / step % tree_width == 0; step *= tree_width)
    children += children_on_level(rank, all, step);
  return children;
}

}  // namespace detail

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
  detail::send_to_all(values).wait();
}

// Every node gets the combination of all; the same bits everywhere.
template <typename T, typename Combine>
void all_reduce(std::span<T> values, std::span<T> scratch, Combine combine) {
  reduce(values, scratch, combine);
  if (nodes() == 1) return;
  // What has been combined was sent by then, so all others are ready for the result.
  if (rank() == 0) detail::send_to_all(values).wait();
  else d1_sem_wait(detail::broadcast_arrived, 1);
}

// The same for one value of up to a packet (a number, an array of a few), much quicker: a node
// sends one packet and gets one back. Combined in the order of ranks, grouped as the tree is:
// ((0 1 .. 7) (8 9 .. 15) ..): reproducible bit by bit, and no operation need be commutative.
template <typename T, typename Combine>
[[nodiscard]] T all_reduce(T value, Combine combine) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= detail::packet_bytes,
                "use all_reduce() of a span for more than a packet");
  using namespace detail;
  const std::uint32_t all = nodes(), me = rank();
  if (all == 1) return value;
  // Those of higher levels may come before the others, so a node waits for all of its children at
  // once. Nobody writes a slot again before everyone has got this result: none must be granted.
  if (const std::uint32_t children = children_of(me, all); children != 0)
    d1_sem_wait(value_arrived, children);
  std::uint32_t level = 0, step = 1;
  for (; step < all && me / step % tree_width == 0; ++level, step *= tree_width) {
    for (std::uint32_t child = 0; child < children_on_level(me, all, step); ++child) {
      T other;
      std::memcpy(&other, value_of_child[level][child].bytes, sizeof(T));
      value = combine(value, other);
    }
  }
  packet& sent = me == 0 ? value_of_all : value_sent;
  std::memcpy(sent.bytes, &value, sizeof(T));
  // Sources are free to be written again when the next result is due: nobody waits for that here.
  if (me == 0) {
    (void)send_to_all(std::span(&sent, 1), semaphore_number::none);
    return value;
  }
  const std::uint32_t digit = me / step % tree_width;
  (void)put(std::span(&sent, 1),
            global_ptr<packet>::at(me - digit * step, &value_of_child[level][digit - 1]),
            {.far = static_cast<semaphore_number>(value_arrived), .done = semaphore_number::none});
  d1_sem_wait(broadcast_arrived, 1);
  std::memcpy(&value, value_of_all.bytes, sizeof(T));
  return value;
}

}  // namespace d1::kernels
