// SPDX-License-Identifier: Apache-2.0
// The operands of instructions: which bits they cover, how they are printed, and the way back from
// values to an encoding. All of it comes from table/operands.def. Static data, free of locks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include <d1/isa/instruction.hpp>

namespace d1::isa {

enum class Operand : std::uint8_t {
#define D1_OPERAND(id, word, bits, style) id,
#include <d1/isa/table/operands.def>
#undef D1_OPERAND
  Count
};

// How an operand is printed; Signed to Csr are the immediates (Instruction::immediate).
enum class OperandStyle : std::uint8_t {
  IntegerRegister,
  BaseRegister,  // "(a0)"
  FloatRegister,
  VectorRegister,
  RoundingMode,
  RoundingModeExact,  // not printed when it is rne
  VectorMask,         // "v0.t" where bit 25 is 0, else nothing
  MaskRegister,       // always "v0"
  SegmentFields,      // "seg2" to "seg8" before the first 'e' of the mnemonic
  FenceSet,
  AcquireRelease,  // ".aq", ".rl" or ".aqrl" behind the mnemonic
  Silent,
  Signed,
  Unsigned,
  Upper,       // its upper 20 bits
  Target,      // relative to pc, printed as an absolute address
  VectorType,  // "e32, m1, ta, ma"
  Csr          // by name where table/csr.def has one
};

// The place of a value in an encoding: segments of instruction bits and where they go.
struct BitField {
  struct Segment {
    std::uint8_t low, width, position;
  };
  std::array<Segment, 8> segments{};
  std::uint8_t count = 0;
  std::uint8_t bits = 0;  // width of the value: one above its highest bit
  bool is_signed = false;

  [[nodiscard]] constexpr std::int32_t extract(std::uint32_t encoding) const noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      const Segment& part = segments[i];
      const std::uint32_t ones = (std::uint32_t{2} << (part.width - 1)) - 1;
      value |= (encoding >> part.low & ones) << part.position;
    }
    if (is_signed && bits < 32 && (value >> (bits - 1) & 1)) value |= ~std::uint32_t{0} << bits;
    return static_cast<std::int32_t>(value);
  }

  // The encoding bits that hold `value`; bits of it that have no place are dropped.
  [[nodiscard]] constexpr std::uint32_t insert(std::int32_t value) const noexcept {
    std::uint32_t encoding = 0;
    for (unsigned i = 0; i < count; ++i) {
      const Segment& part = segments[i];
      const std::uint32_t ones = (std::uint32_t{2} << (part.width - 1)) - 1;
      encoding |= (static_cast<std::uint32_t>(value) >> part.position & ones) << part.low;
    }
    return encoding;
  }

  // All instruction bits it covers.
  [[nodiscard]] constexpr std::uint32_t mask() const noexcept { return insert(-1); }
};

// "s31:25>5 11:7>0" -> BitField. Text that is malformed does not compile.
constexpr BitField parse_bit_field(std::string_view text) {
  BitField field;
  std::size_t at = 0;
  const auto number = [&] {
    if (at == text.size() || text[at] < '0' || text[at] > '9') throw "expected a number";
    unsigned value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      value = value * 10 + static_cast<unsigned>(text[at] - '0');
    return value;
  };
  const auto expect = [&](char wanted) {
    if (at == text.size() || text[at++] != wanted) throw "expected high:low>position";
  };
  if (!text.empty() && text[0] == 's') field.is_signed = true, ++at;
  while (at < text.size()) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const unsigned high = number();
    expect(':');
    const unsigned low = number();
    expect('>');
    const unsigned position = number();
    if (high > 31 || low > high || position + high - low > 31) throw "segment out of range";
    const unsigned width = high - low + 1;
    field.segments[field.count++] = {static_cast<std::uint8_t>(low),
                                     static_cast<std::uint8_t>(width),
                                     static_cast<std::uint8_t>(position)};
    if (position + width > field.bits) field.bits = static_cast<std::uint8_t>(position + width);
  }
  return field;
}

struct OperandFacts {
  std::string_view word;
  BitField field;
  OperandStyle style;

  [[nodiscard]] constexpr bool is_immediate() const noexcept {
    return style >= OperandStyle::Signed;
  }
};

inline constexpr std::array<OperandFacts, static_cast<std::size_t>(Operand::Count)> kOperands = {{
#define D1_OPERAND(id, word, bits, style) {word, parse_bit_field(bits), OperandStyle::style},
#include <d1/isa/table/operands.def>
#undef D1_OPERAND
}};

[[nodiscard]] constexpr const OperandFacts& facts(Operand operand) noexcept {
  return kOperands[static_cast<std::size_t>(operand)];
}

// The operands of an instruction in the order of assembler text.
[[nodiscard]] std::span<const Operand> operands_of(InstructionId id) noexcept;

// The operand that fills Instruction::immediate: the widest immediate. Operand::Count for none.
[[nodiscard]] Operand immediate_operand(InstructionId id) noexcept;

// What encode() puts into an encoding; fields the instruction does not have are ignored. `bits`
// are further operand bits in their place (rm, vm, nf, aq, rl).
struct EncodingFields {
  unsigned rd = 0, rs1 = 0, rs2 = 0, rs3 = 0;
  std::int32_t immediate = 0;
  std::uint32_t bits = 0;
};

[[nodiscard]] std::uint32_t encode(InstructionId id, const EncodingFields& fields) noexcept;

}  // namespace d1::isa
