// SPDX-License-Identifier: Apache-2.0
// Semaphores and barriers. A hart that waits costs its node nothing.
#pragma once

#include <cstdint>

#include <d1/abi/memory_map.h>
#include <d1/xd1.h>
#include <d1/device/grid.hpp>

namespace d1 {

// A counting semaphore of every node; kernels have 0 to D1_SEMAPHORE_USER_COUNT - 1. All are zero
// when a node boots; a kernel takes as many counts as it posts, so that the next finds it so.
template <unsigned Number>
struct semaphore {
  static_assert(Number < D1_SEMAPHORE_USER_COUNT, "the upper semaphores belong to the runtime");
  static constexpr unsigned number = Number;

  // Waits until this node's semaphore holds `count`, and takes them.
  static void wait(std::uint64_t count = 1) { d1_sem_wait(Number, count); }
  [[nodiscard]] static bool try_wait(std::uint64_t count = 1) {
    return d1_sem_try(Number, count) != 0;
  }
  [[nodiscard]] static std::uint64_t value() { return d1_sem_read(Number); }
  static void post(std::uint64_t count = 1) { d1_sem_post(Number, count); }
  // May overtake puts to that node: use the put's own post, or fence() before.
  static void post_remote(std::uint32_t rank, std::uint64_t count = 1) {
    d1_sem_post(d1_grid_address(rank, Number), count);
  }
};

// All harts of this node that run the kernel.
inline void node_barrier() { d1_bar_node(harts()); }
// All harts of all nodes of the launch.
inline void grid_barrier() { d1_bar_grid(harts()); }

// Earlier puts and stores of this hart are seen everywhere before what follows.
inline void fence() { __asm__ volatile("fence rw, rw" : : : "memory"); }

}  // namespace d1
