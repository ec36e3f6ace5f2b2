// SPDX-License-Identifier: Apache-2.0
// Where this code runs: the node's place in the launch's grid, the hart's in the node, and time.
// Costs one CSR read each; nothing here waits.
#pragma once

#include <cstdint>

#include <d1/abi/mailbox.h>
#include <d1/xd1.h>

namespace d1 {

// Number of this node in the launch, row by row: 0 to nodes() - 1.
[[nodiscard]] inline std::uint32_t rank() { return static_cast<std::uint32_t>(d1_rank()); }
[[nodiscard]] inline std::uint32_t nodes() { return static_cast<std::uint32_t>(d1_nodes()); }

// Shape of the launch's grid. Its rows can skip nodes that the die has lost, so neighbours in the
// grid are near each other, but not always one hop.
[[nodiscard]] inline std::uint32_t grid_rows() {
  return static_cast<std::uint32_t>(d1_grid() >> 32);
}
[[nodiscard]] inline std::uint32_t grid_columns() { return static_cast<std::uint32_t>(d1_grid()); }
[[nodiscard]] inline std::uint32_t row() { return rank() / grid_columns(); }
[[nodiscard]] inline std::uint32_t column() { return rank() % grid_columns(); }

// This hart within its node, and how many of them run the kernel.
[[nodiscard]] inline std::uint32_t hart() {
  std::uint64_t id;
  __asm__("csrr %0, mhartid" : "=r"(id));
  return static_cast<std::uint32_t>(id % D1_HARTS);
}
[[nodiscard]] inline std::uint32_t harts() { return static_cast<std::uint32_t>(d1_node_harts()); }

// Cycles of this node's clock, for differences.
[[nodiscard]] inline std::uint64_t cycles() {
  std::uint64_t value;
  __asm__ volatile("rdcycle %0" : "=r"(value) : : "memory");
  return value;
}

// The part of 0 .. count - 1 that one of `parts` workers does, contiguous, sizes differing by one
// at most.
struct range {
  std::uint64_t first, last;  // last is one past the end
  [[nodiscard]] constexpr std::uint64_t size() const { return last - first; }
};
[[nodiscard]] constexpr range part_of(std::uint64_t count, std::uint64_t parts,
                                      std::uint64_t index) {
  const std::uint64_t each = count / parts, more = count % parts;
  const std::uint64_t first = index * each + (index < more ? index : more);
  return {first, first + each + (index < more ? 1 : 0)};
}

}  // namespace d1
