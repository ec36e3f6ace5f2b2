// SPDX-License-Identifier: Apache-2.0
// What the semantics of all instruction groups share. Semantics are functions
//   Outcome NAME(Hart&, const Operation&)
// in d1::isa::exec, one a line of the instruction table. They touch the hart, its memory window and
// its environment, and nothing else; they neither advance pc (but for jumps) nor count time.
#pragma once

#include <d1/isa/memory.hpp>

namespace d1::isa {

// mstatus fields
inline constexpr std::uint64_t kMstatusMie = std::uint64_t{1} << 3;
inline constexpr std::uint64_t kMstatusMpie = std::uint64_t{1} << 7;
inline constexpr std::uint64_t kMstatusVs = std::uint64_t{3} << 9;
inline constexpr std::uint64_t kMstatusMpp = std::uint64_t{3} << 11;
inline constexpr std::uint64_t kMstatusFs = std::uint64_t{3} << 13;

// Writes an integer register; x0 stays 0 without a branch.
inline void set_x(Hart& hart, unsigned rd, std::uint64_t value) noexcept {
  hart.x[rd] = value;
  hart.x[0] = 0;
}

[[nodiscard]] inline bool float_off(const Hart& hart) noexcept {
  return (hart.mstatus & kMstatusFs) == 0;
}
[[nodiscard]] inline bool vector_off(const Hart& hart) noexcept {
  return (hart.mstatus & kMstatusVs) == 0;
}
inline void mark_float_dirty(Hart& hart) noexcept { hart.mstatus |= kMstatusFs; }
inline void mark_vector_dirty(Hart& hart) noexcept { hart.mstatus |= kMstatusVs; }

}  // namespace d1::isa
