// SPDX-License-Identifier: Apache-2.0
// Semantics of Xd1 (firmware/isa/xd1.md), the fields of its CSRs and what its vector instructions
// cost. The functions follow the rules of semantics/common.hpp.
#pragma once

#include <d1/isa/semantics/common.hpp>

namespace d1::isa {

// d1fmt (HartState::float_formats); what can be written is in table/csr.def
inline constexpr std::uint8_t kFormatA152 = 1 << 0;
inline constexpr std::uint8_t kFormatB152 = 1 << 1;
inline constexpr std::uint8_t kFormatIeeeDenormals = 1 << 2;
inline constexpr std::uint8_t kFormatAUhp = 1 << 3;
inline constexpr std::uint8_t kFormatBUhp = 1 << 4;

// d1bias (HartState::d1_bias): the first bit of each 6-bit field
inline constexpr unsigned kBiasA = 0;
inline constexpr unsigned kBiasB = 8;
inline constexpr unsigned kBiasSource = 16;
inline constexpr unsigned kBiasResult = 24;

struct Xd1Groups {
  std::uint8_t vd, vs1, vs2;  // registers in the group of each operand; 0: no such operand
  std::uint8_t cycles;        // how long the instruction holds its unit
};

// Groups and cost of a vector instruction of Xd1; all 0 for every other instruction.
[[nodiscard]] constexpr Xd1Groups xd1_groups(InstructionId id) noexcept {
  switch (id) {
#define D1_XD1_VECTOR(name, vd, vs1, vs2, cycles) \
  case InstructionId::name:                       \
    return {vd, vs1, vs2, cycles};
#include <d1/isa/table/xd1_vector.def>
#undef D1_XD1_VECTOR
    default:
      return {0, 0, 0, 0};
  }
}

namespace exec {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  Outcome id(Hart& hart, const Operation& operation);
#include <d1/isa/table/xd1.def>
#undef D1_INSTRUCTION
}  // namespace exec

}  // namespace d1::isa
