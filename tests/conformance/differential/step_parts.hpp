// SPDX-License-Identifier: Apache-2.0
// What vector and scalar steps share. Private to the generator.
#pragma once

#include "generator.hpp"

namespace d1::difftest {

using isa::kVlenBits;
using isa::Operand;

[[nodiscard]] inline std::uint32_t with_field(std::uint32_t word, Operand operand,
                                              std::uint64_t value) {
  const isa::BitField& field = isa::facts(operand).field;
  return (word & ~field.mask()) | field.insert(static_cast<std::int32_t>(value));
}

// The instruction with random operands.
[[nodiscard]] inline std::uint32_t random_word(Random& random, InstructionId id) {
  const auto& facts = isa::facts(id);
  return facts.match | (static_cast<std::uint32_t>(random.bits()) & ~facts.mask);
}

[[nodiscard]] inline unsigned random_register(Random& random) { return 1 + random.below(31); }

// Appends the instruction under test.
inline void put_main(Step& step, std::uint32_t word) {
  step.main_offset = static_cast<std::uint16_t>(2 * step.code.size());
  step.main_length = 4;
  Assembler(step.code).word(word);
}

// An address in the arena from which `bytes` can be reached.
[[nodiscard]] inline std::uint64_t place_in_arena(Random& random, unsigned bytes) {
  const std::uint64_t address = kArena + random.below(kArenaBytes - bytes + 1);
  return random.one_in(2) ? address : address & ~std::uint64_t{7};
}

inline constexpr std::int32_t kCsrFrm = 0x002, kCsrVxrm = 0x00a;

// A rounding mode by a write to its own register, or to the whole one, whose flags move to an
// integer register where the comparison sees them.
inline void set_rounding(Random& random, Assembler& out, bool fixed_point, unsigned mode) {
  if (random.one_in(3)) {
    const unsigned reg = random_register(random);
    out.add_immediate(reg, 0, static_cast<std::int32_t>(mode << (fixed_point ? 1 : 5)));
    out.write_csr(fixed_point ? kCsrVcsr : kCsrFcsr, reg, reg);
  } else {
    out.op(InstructionId::csrrwi, {.rs1 = mode, .immediate = fixed_point ? kCsrVxrm : kCsrFrm});
  }
}

[[nodiscard]] Step make_vector_step(Random& random, const Cell& cell);
[[nodiscard]] Step make_reserved_step(Random& random, const Cell& cell);
[[nodiscard]] Step make_configuration_step(Random& random, const Cell& cell);
[[nodiscard]] Step make_scalar_step(Random& random, const Cell& cell);
[[nodiscard]] Step make_compressed_step(Random& random, const Cell& cell);

}  // namespace d1::difftest
