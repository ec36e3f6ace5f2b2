// SPDX-License-Identifier: Apache-2.0
// How a region with mma.bf16 uses the host's vector registers.
//
// Sums. C of mma.bf16, guest registers 4g to 4g + 3, is kept in four host registers of its own
// while the region runs, not as the guest sees it: with 16-byte lanes transposed. Lane i of the
// guest's register r holds half i % 2 of row 2r + i / 2; it is lane r of host register i. So a host
// register holds halves of four rows: all even or all odd rows, left or right four columns. Then
// B's pairs for it are one 16-byte piece of B, broadcast, which costs the host a load, and A's are
// one element of each lane of A, spread over the lane, which costs a shuffle; and either serves two
// host registers.
//
// An instruction other than mma finds sums in memory: they go there before it, and come back, if it
// changed them, before the next mma or the end of the block.
//
// Forms. What was loaded or shuffled for one mma stays for the next ones of the block that have the
// same A or B. Plain data.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace d1::emulator {

inline constexpr unsigned kSumGroups = 8, kSumRegisters = 4;

[[nodiscard]] constexpr unsigned sum_group_of(unsigned guest) noexcept {
  return guest / kSumRegisters;
}

// Which groups of sums a region keeps, and where: the first of four host registers.
class KeptSums {
 public:
  KeptSums() { host_.fill(-1); }
  void note(unsigned group, std::uint32_t times = 1) noexcept { uses_[group] += times; }
  [[nodiscard]] std::uint32_t uses(unsigned group) const noexcept { return uses_[group]; }
  [[nodiscard]] bool used() const noexcept {
    return uses_ != std::array<std::uint32_t, kSumGroups>{};
  }
  void keep(unsigned group, int host) noexcept {
    host_[group] = static_cast<std::int8_t>(host);
    kept_ |= 1u << group;
  }
  [[nodiscard]] int host(unsigned group) const noexcept { return host_[group]; }  // -1: in memory
  [[nodiscard]] bool kept(unsigned group) const noexcept { return host_[group] >= 0; }
  [[nodiscard]] std::uint32_t all_kept() const noexcept { return kept_; }  // a bit for each group

 private:
  std::array<std::uint32_t, kSumGroups> uses_{};
  std::array<std::int8_t, kSumGroups> host_{};
  std::uint32_t kept_ = 0;
};

// What is known at some place of a block, a bit for each group.
struct SumStates {
  std::uint32_t in_host = ~0u;    // the host registers hold the sums
  std::uint32_t in_memory = 0;    // memory does
  // Products leave NaNs as the host makes them. Which groups may hold such is known only when the
  // region runs (RegionEmitter::unsettled_groups), but for those in one of these sets.
  std::uint32_t unsettled = 0, settled = 0;

  void settle(std::uint32_t groups) noexcept {
    settled |= groups;
    unsettled &= ~groups;
  }
};

// Host registers that hold the forms of A and B, and of which guest registers. A form of A is one
// 32-bit element of each lane, four times; of B one lane, four times.
struct OperandForms {
  static constexpr int kNone = -1;
  int left = kNone;
  std::array<int, 2> right{kNone, kNone};
  unsigned next_right = 0;  // place to be used next
  // The last product whose factors were looked at (emit_vector_factors.cpp), by its place.
  int last_product = kNone;
  // Floats, a bit each, that every element of their host register holds.
  std::uint32_t spread_singles = 0, spread_doubles = 0;

  void forget_float(unsigned guest) noexcept {
    spread_singles &= ~(1u << guest);
    spread_doubles &= ~(1u << guest);
  }
  void forget(unsigned guest) noexcept {
    const auto same = static_cast<int>(guest);
    if (left == same) left = kNone;
    for (int& each : right)
      if (each == same) each = kNone;
  }
};

// The four registers of A's forms, where sums are transposed, too.
inline constexpr int kLeftForms = 8;

struct MatrixRegisters {
  KeptSums sums;
  std::vector<int> right_forms;  // first of four registers each
};

}  // namespace d1::emulator
