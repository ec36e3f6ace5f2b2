// SPDX-License-Identifier: Apache-2.0
// From bytes to instructions. Full encodings are found by two look-ups: major opcode and funct3
// name a row, the top six bits a cell of it; a cell holds the few instructions that can still
// match.
#include <algorithm>
#include <bit>
#include <vector>

#include <d1/isa/operands.hpp>

#include "pattern.hpp"

namespace d1::isa {
namespace {

constexpr std::uint32_t kRowMask = 0x707c;       // funct3 and major opcode
constexpr std::uint32_t kCellMask = 0xfc000000;  // funct6: the top of funct7
constexpr unsigned kRows = 256;
constexpr unsigned kCells = 64;

constexpr unsigned row_of(std::uint32_t bits) { return (bits >> 2 & 31) | (bits >> 12 & 7) << 5; }
constexpr unsigned cell_of(std::uint32_t bits) { return bits >> 26; }
constexpr std::uint32_t row_bits(unsigned row) { return (row & 31) << 2 | (row >> 5) << 12; }

struct Candidate {
  std::uint32_t mask, match;
  InstructionId id;
};

struct CellRange {
  std::uint16_t first = 0, count = 0;
};

class Lookup {
 public:
  Lookup() {
    for (unsigned row = 0; row < kRows; ++row) add_row(row);
  }

  [[nodiscard]] InstructionId find(std::uint32_t bits) const noexcept {
    const CellRange range = cells_[row_of(bits) * kCells + cell_of(bits)];
    const Candidate* candidate = candidates_.data() + range.first;
    for (unsigned i = 0; i < range.count; ++i, ++candidate)
      if ((bits & candidate->mask) == candidate->match) return candidate->id;
    return InstructionId::Illegal;
  }

 private:
  void add_row(unsigned row) {
    std::vector<Candidate> in_row;
    for (unsigned i = 1; i < static_cast<unsigned>(InstructionId::Count); ++i) {
      const auto id = static_cast<InstructionId>(i);
      const InstructionFacts& what = facts(id);
      if (((row_bits(row) ^ what.match) & what.mask & kRowMask) == 0)
        in_row.push_back({what.mask, what.match, id});
    }
    // The narrower of two patterns first: pause is one encoding of fence.
    std::sort(in_row.begin(), in_row.end(), [](const Candidate& a, const Candidate& b) {
      const int fixed_a = std::popcount(a.mask), fixed_b = std::popcount(b.mask);
      return fixed_a != fixed_b ? fixed_a > fixed_b : a.id < b.id;
    });
    for (unsigned cell = 0; cell < kCells; ++cell) {
      const auto first = candidates_.size();
      for (const Candidate& candidate : in_row)
        if (((cell << 26 ^ candidate.match) & candidate.mask & kCellMask) == 0)
          candidates_.push_back(candidate);
      cells_[row * kCells + cell] = {static_cast<std::uint16_t>(first),
                                     static_cast<std::uint16_t>(candidates_.size() - first)};
    }
  }

  std::array<CellRange, kRows * kCells> cells_;
  std::vector<Candidate> candidates_;
};

// Where a compressed instruction has a register number; see table/compressed.def.
enum class CompressedRegister : std::uint8_t { Zero, Ra, Sp, High, Low, HighShort, LowShort };
enum class CompressedRule : std::uint8_t { Any, NonzeroImmediate, NonzeroHigh };

struct Compressed {
  Pattern pattern;
  InstructionId id;
  CompressedRegister rd, rs1, rs2;
  BitField immediate;
  CompressedRule rule;
};

constexpr Compressed kCompressed[] = {
#define D1_COMPRESSED(mnemonic, pattern, id, rd, rs1, rs2, immediate, rule)         \
  {parse_pattern(pattern, 16), InstructionId::id,       CompressedRegister::rd,     \
   CompressedRegister::rs1,    CompressedRegister::rs2, parse_bit_field(immediate), \
   CompressedRule::rule},
#include <d1/isa/table/compressed.def>
#undef D1_COMPRESSED
};

constexpr unsigned register_of(CompressedRegister source, std::uint32_t bits) {
  switch (source) {
    case CompressedRegister::Zero:
      return 0;
    case CompressedRegister::Ra:
      return 1;
    case CompressedRegister::Sp:
      return 2;
    case CompressedRegister::High:
      return bits >> 7 & 31;
    case CompressedRegister::Low:
      return bits >> 2 & 31;
    case CompressedRegister::HighShort:
      return 8 + (bits >> 7 & 7);
    case CompressedRegister::LowShort:
      return 8 + (bits >> 2 & 7);
  }
  return 0;
}

// First line of each of the 32 combinations of quadrant and funct3, in the order of the table.
class CompressedLookup {
 public:
  CompressedLookup() {
    for (unsigned row = 0; row < kRowsOfCompressed; ++row) {
      first_[row] = static_cast<std::uint8_t>(lines_.size());
      const std::uint32_t bits = (row & 3) | (row >> 2) << 13;
      for (const Compressed& line : kCompressed)
        if (((bits ^ line.pattern.match) & line.pattern.mask & kRowBits) == 0)
          lines_.push_back(&line);
    }
    first_[kRowsOfCompressed] = static_cast<std::uint8_t>(lines_.size());
  }

  [[nodiscard]] const Compressed* find(std::uint32_t bits) const noexcept {
    const unsigned row = (bits & 3) | (bits >> 13 & 7) << 2;
    for (unsigned i = first_[row]; i < first_[row + 1]; ++i)
      if ((bits & lines_[i]->pattern.mask) == lines_[i]->pattern.match) return lines_[i];
    return nullptr;
  }

 private:
  static constexpr unsigned kRowsOfCompressed = 32;
  static constexpr std::uint32_t kRowBits = 0xe003;
  std::array<std::uint8_t, kRowsOfCompressed + 1> first_{};
  std::vector<const Compressed*> lines_;
};

void fill(Instruction& instruction, InstructionId id, std::uint32_t full) noexcept {
  instruction.id = id;
  instruction.full = full;
  instruction.rd = static_cast<std::uint8_t>(full >> 7 & 31);
  instruction.rs1 = static_cast<std::uint8_t>(full >> 15 & 31);
  instruction.rs2 = static_cast<std::uint8_t>(full >> 20 & 31);
  instruction.rs3 = static_cast<std::uint8_t>(full >> 27);
  const Operand operand = immediate_operand(id);
  if (operand != Operand::Count) instruction.immediate = facts(operand).field.extract(full);
}

Instruction decode_compressed(std::uint32_t bits) noexcept {
  static const CompressedLookup lookup;
  Instruction instruction;
  instruction.length = 2;
  instruction.raw = bits;
  instruction.full = bits;
  const Compressed* const line = lookup.find(bits);
  if (line == nullptr) return instruction;
  const std::int32_t immediate = line->immediate.extract(bits);
  if (line->rule == CompressedRule::NonzeroImmediate && immediate == 0) return instruction;
  if (line->rule == CompressedRule::NonzeroHigh && register_of(CompressedRegister::High, bits) == 0)
    return instruction;
  const std::uint32_t full = encode(line->id, {.rd = register_of(line->rd, bits),
                                               .rs1 = register_of(line->rs1, bits),
                                               .rs2 = register_of(line->rs2, bits),
                                               .immediate = immediate});
  fill(instruction, line->id, full);
  return instruction;
}

}  // namespace

Instruction decode(std::uint32_t bits) noexcept {
  if ((bits & 3) != 3) return decode_compressed(bits & 0xffff);
  static const Lookup lookup;
  Instruction instruction;
  instruction.raw = bits;
  fill(instruction, lookup.find(bits), bits);
  return instruction;
}

}  // namespace d1::isa
