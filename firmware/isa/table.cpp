// SPDX-License-Identifier: Apache-2.0
// The instruction table as data: what include/d1/isa/table/*.def says, read while compiling.
#include <d1/isa/operands.hpp>

#include "pattern.hpp"

namespace d1::isa {
namespace {

struct Entry {
  InstructionFacts facts;
  OperandList operands;
  Operand immediate;  // Operand::Count: none
};

constexpr Entry make_entry(std::string_view mnemonic, std::string_view pattern,
                           std::string_view operands, Extension extension, Unit unit,
                           std::uint8_t latency) {
  const Pattern parsed = parse_pattern(pattern, 32);
  Entry entry{{mnemonic, operands, extension, unit, latency, parsed.mask, parsed.match},
              parse_operands(operands),
              Operand::Count};
  for (unsigned i = 0; i < entry.operands.count; ++i) {
    const Operand operand = entry.operands.operands[i];
    if (facts(operand).is_immediate() &&
        (entry.immediate == Operand::Count ||
         facts(operand).field.bits > facts(entry.immediate).field.bits))
      entry.immediate = operand;
  }
  return entry;
}

// One variable a line, so that no single constant expression grows with the table.
namespace entry {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  constexpr Entry id =                                                            \
      make_entry(mnemonic, pattern, operands, Extension::extension, Unit::unit, latency);
#include <d1/isa/table/all.def>
#undef D1_INSTRUCTION
}  // namespace entry

constexpr Entry kIllegal{{"<unknown>", "", Extension::I, Unit::None, 1, 0, 0}, {}, Operand::Count};

constexpr const Entry* kEntries[] = {
    &kIllegal,
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) &entry::id,
#include <d1/isa/table/all.def>
#undef D1_INSTRUCTION
};
static_assert(std::size(kEntries) == static_cast<std::size_t>(InstructionId::Count));

const Entry& entry_of(InstructionId id) noexcept {
  const auto index = static_cast<std::size_t>(id);
  return *kEntries[index < std::size(kEntries) ? index : 0];
}

}  // namespace

const InstructionFacts& facts(InstructionId id) noexcept { return entry_of(id).facts; }

std::span<const Operand> operands_of(InstructionId id) noexcept {
  const OperandList& list = entry_of(id).operands;
  return {list.operands.data(), list.count};
}

Operand immediate_operand(InstructionId id) noexcept { return entry_of(id).immediate; }

std::uint32_t encode(InstructionId id, const EncodingFields& fields) noexcept {
  const Entry& entry = entry_of(id);
  std::uint32_t variable = fields.bits;
  const auto put = [&](Operand operand, std::int32_t value) {
    variable |= facts(operand).field.insert(value);
  };
  put(Operand::rd, static_cast<std::int32_t>(fields.rd));
  put(Operand::rs1, static_cast<std::int32_t>(fields.rs1));
  put(Operand::rs2, static_cast<std::int32_t>(fields.rs2));
  put(Operand::rs3, static_cast<std::int32_t>(fields.rs3));
  if (entry.immediate != Operand::Count) {
    variable &= ~facts(entry.immediate).field.mask();
    put(entry.immediate, fields.immediate);
  }
  return entry.facts.match | (variable & ~entry.facts.mask);
}

}  // namespace d1::isa
