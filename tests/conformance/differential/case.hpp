// SPDX-License-Identifier: Apache-2.0
// A case: a state and a sequence of steps that run from it. A step is one instruction under test
// with the few that prepare it; steps can be left out one by one, which is how cases are shrunk.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "assembler.hpp"
#include "layout.hpp"

namespace d1::difftest {

// One cell of the coverage: an instruction under one configuration. Fields that do not matter for
// an instruction are 0.
struct Cell {
  InstructionId id = InstructionId::Illegal;
  std::uint8_t compressed = 0;  // 1 + line of table/compressed.def, 0 for the others
  std::uint8_t fields = 0;      // of a segment, 1 to 8
  std::uint8_t sew_log2 = 0;
  std::int8_t lmul_log2 = 0;
  std::uint8_t masked = 0;
  std::uint8_t policy = 0;    // bit 0: tail agnostic, bit 1: mask agnostic
  std::uint8_t rounding = 0;  // by RoundingKind of the instruction
  auto operator<=>(const Cell&) const = default;
};

// What `Cell::rounding` counts.
enum class RoundingKind : std::uint8_t {
  None,
  FixedPoint,   // vxrm
  VectorFloat,  // frm, 0 to 4
  ScalarFloat   // 0 to 4: in the instruction; 5 to 9: dynamic, frm 0 to 4
};
[[nodiscard]] constexpr unsigned rounding_modes(RoundingKind kind) noexcept {
  return kind == RoundingKind::None          ? 1
         : kind == RoundingKind::FixedPoint  ? 4
         : kind == RoundingKind::VectorFloat ? 5
                                             : 10;
}

struct Step {
  Cell cell;
  Code code;
  std::uint16_t main_offset = 0;  // bytes to the instruction under test
  std::uint8_t main_length = 4;
  bool counts = false;  // covers its cell if it runs: legal, vl > vstart
};

struct Case {
  Block initial{};
  unsigned pointer = kFirstPointer;
  std::vector<Step> steps;
};

// "vadd.vv e8 m4 masked ta mu rtz"
[[nodiscard]] std::string name_of(const Cell& cell);

}  // namespace d1::difftest
