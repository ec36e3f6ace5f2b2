// SPDX-License-Identifier: Apache-2.0
// Assembler text in the style of llvm-objdump -M no-aliases: canonical mnemonics, ABI register
// names, hexadecimal immediates, absolute branch targets. Compressed instructions are shown
// expanded.
#include <charconv>
#include <string>

#include <d1/isa/csr.hpp>
#include <d1/isa/operands.hpp>

namespace d1::isa {
namespace {

constexpr std::string_view kIntegerNames[32] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                                "s0",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                                "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                                "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

constexpr std::string_view kFloatNames[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1", "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4", "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

constexpr std::string_view kRoundingNames[8] = {"rne", "rtz", "rdn", "rup", "rmm", "5", "6", "dyn"};

std::string hexadecimal_address(std::uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value, 16).ptr;
  return "0x" + std::string(std::begin(digits), end);
}

std::string hexadecimal(std::int64_t value) {
  return value < 0 ? "-" + hexadecimal_address(-static_cast<std::uint64_t>(value))
                   : hexadecimal_address(static_cast<std::uint64_t>(value));
}

std::string fence_set(std::int32_t bits) {
  if (bits == 0) return "0";
  std::string text;
  for (unsigned i = 0; i < 4; ++i)
    if (bits >> (3 - i) & 1) text += "iorw"[i];
  return text;
}

// Bits of vtype to "e32, m1, ta, ma"; what vsetvli would reject is shown as a number.
std::string vector_type(std::int32_t bits) {
  constexpr std::string_view kGroups[8] = {"m1", "m2", "m4", "m8", "", "mf8", "mf4", "mf2"};
  const unsigned sew = bits >> 3 & 7;
  const std::string_view group = kGroups[bits & 7];
  if (bits >> 8 != 0 || sew > 3 || group.empty()) return hexadecimal(bits);
  return "e" + std::to_string(8 << sew) + ", " + std::string{group} +
         (bits >> 6 & 1 ? ", ta" : ", tu") + (bits >> 7 & 1 ? ", ma" : ", mu");
}

std::string csr_text(std::int32_t number) {
  const std::string name = csr_name(static_cast<unsigned>(number));
  return name.empty() ? hexadecimal(number) : name;
}

// The text of one operand; empty for those that are not printed.
std::string operand_text(const OperandFacts& operand, std::uint32_t full, std::uint64_t pc) {
  const std::int32_t value = operand.field.extract(full);
  switch (operand.style) {
    case OperandStyle::IntegerRegister:
      return std::string{kIntegerNames[value]};
    case OperandStyle::BaseRegister:
      return "(" + std::string{kIntegerNames[value]} + ")";
    case OperandStyle::FloatRegister:
      return std::string{kFloatNames[value]};
    case OperandStyle::VectorRegister:
      return "v" + std::to_string(value);
    case OperandStyle::RoundingMode:
      return std::string{kRoundingNames[value]};
    case OperandStyle::RoundingModeExact:
      return value == 0 ? "" : std::string{kRoundingNames[value]};
    case OperandStyle::VectorMask:
      return value == 0 ? "v0.t" : "";
    case OperandStyle::MaskRegister:
      return "v0";
    case OperandStyle::FenceSet:
      return fence_set(value);
    case OperandStyle::Signed:
    case OperandStyle::Unsigned:
      return hexadecimal(value);
    case OperandStyle::Upper:
      return hexadecimal(static_cast<std::uint32_t>(value) >> 12);
    case OperandStyle::Target:
      return hexadecimal_address(pc + static_cast<std::uint64_t>(std::int64_t{value}));
    case OperandStyle::VectorType:
      return vector_type(value);
    case OperandStyle::Csr:
      return csr_text(value);
    case OperandStyle::SegmentFields:
    case OperandStyle::AcquireRelease:
    case OperandStyle::Silent:
      return "";
  }
  return "";
}

// The mnemonic with what operands add to it.
std::string mnemonic_text(InstructionId id, std::uint32_t full) {
  constexpr std::string_view kOrders[4] = {"", ".rl", ".aq", ".aqrl"};
  std::string text{facts(id).mnemonic};
  for (const Operand operand : operands_of(id)) {
    const std::int32_t value = facts(operand).field.extract(full);
    if (facts(operand).style == OperandStyle::AcquireRelease) text += kOrders[value];
    if (facts(operand).style == OperandStyle::SegmentFields && value != 0)
      text.insert(text.find('e'), "seg" + std::to_string(value + 1));
  }
  return text;
}

}  // namespace

std::string disassemble(const Instruction& instruction, std::uint64_t pc) {
  std::string text = mnemonic_text(instruction.id, instruction.full);
  std::string_view separator = " ";
  bool after_immediate = false;
  for (const Operand operand : operands_of(instruction.id)) {
    const OperandFacts& what = facts(operand);
    const std::string piece = operand_text(what, instruction.full, pc);
    if (piece.empty()) continue;
    // "imm(rs1)" has no comma, "rd, (rs1)" has one.
    if (what.style != OperandStyle::BaseRegister || !after_immediate) text += separator;
    text += piece;
    separator = ", ";
    after_immediate = what.is_immediate();
  }
  return text;
}

}  // namespace d1::isa
