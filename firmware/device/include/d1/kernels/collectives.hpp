// SPDX-License-Identifier: Apache-2.0
// Collectives over the launch grid: reduce, broadcast, all_reduce, any number of nodes.
//
// One hart of every node calls them, all in the same order; blocks lie at the same address on every
// node (globals and replicated buffers do). They use semaphores D1_SEMAPHORE_LIBRARY to + 4, which
// are zero again afterwards. Blocks travel along a binomial tree of ranks, so that a node waits for
// at most log2(nodes) others; what fits in a packet along a tree eight wide, without handshakes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
inline constexpr std::uint32_t tree_bits = 3;  // of a digit
inline constexpr std::uint32_t tree_width = 1 << tree_bits;
inline constexpr std::uint32_t tree_levels = 7;  // 8^7 ranks: an ExaPOD and more
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

// Of the tree of all_reduce() of a value: a rank's digit on the level that begins at bit `shift`,
// and how many children it has there if that is zero.
inline std::uint32_t digit_of(std::uint32_t rank, std::uint32_t shift) {
  return rank >> shift & (tree_width - 1);
}
inline std::uint32_t children_of(std::uint32_t rank, std::uint32_t all, std::uint32_t shift) {
  return std::min(tree_width - 1, (all - 1 - rank) >> shift);
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

// The same for `values` of up to a packet, much quicker and without scratch: a node sends one
// packet and gets one back. Combined in the order of ranks, grouped as the tree is: ((0 1 .. 7)
// (8 9 .. 15) ..): reproducible bit by bit, and no operation need be commutative.
template <typename T, std::size_t Count, typename Combine>
requires(Count != std::dynamic_extent)
void all_reduce(std::span<T, Count> values, Combine combine) {
  using namespace detail;
  constexpr std::size_t bytes = Count * sizeof(T);
  static_assert(std::is_trivially_copyable_v<T> && bytes <= packet_bytes,
                "give all_reduce() scratch for more than a packet");
  const std::uint32_t all = nodes(), me = rank();
  if (all == 1) return;
  // Those of higher levels may come before the others, so a node waits for all of its children at
  // once. Nobody writes a slot again before everyone has got this result: none must be granted.
  std::uint32_t children = 0, top = 0;  // top: where the level begins on which it is a child
  for (; (all - 1) >> top != 0 && digit_of(me, top) == 0; top += tree_bits)
    children += children_of(me, all, top);
  if (children != 0) d1_sem_wait(value_arrived, children);
  const packet(*slots)[tree_width - 1] = value_of_child;
  for (std::uint32_t shift = 0; shift != top; shift += tree_bits, ++slots) {
    for (std::uint32_t child = 0; child != children_of(me, all, shift); ++child) {
      T other[Count];
      __builtin_memcpy(other, (*slots)[child].bytes, bytes);
#pragma clang loop vectorize(assume_safety)
      for (std::size_t i = 0; i < Count; ++i) values[i] = combine(values[i], other[i]);
    }
  }
  packet& sent = me == 0 ? value_of_all : value_sent;
  __builtin_memcpy(sent.bytes, values.data(), bytes);
  // Sources are free to be written again when the next result is due: nobody waits for that here.
  if (me == 0) {
    (void)send_to_all(std::span(&sent, 1), semaphore_number::none);
    return;
  }
  const std::uint32_t digit = digit_of(me, top);
  (void)put(std::span(&sent, 1),
            global_ptr<packet>::at(me - (digit << top),
                                   &value_of_child[top / tree_bits][digit - 1]),
            {.far = static_cast<semaphore_number>(value_arrived), .done = semaphore_number::none});
  d1_sem_wait(broadcast_arrived, 1);
  __builtin_memcpy(values.data(), value_of_all.bytes, bytes);
}

// The combination of all nodes' values.
template <typename T, typename Combine>
[[nodiscard]] T all_reduce(T value, Combine combine) {
  all_reduce(std::span<T, 1>(&value, 1), combine);
  return value;
}

}  // namespace d1::kernels
