// SPDX-License-Identifier: Apache-2.0
// Reads the text of the instruction tables while compiling: patterns and operand lists. Text that
// is malformed, and operand words that are not in table/operands.def, do not compile.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <d1/isa/operands.hpp>

namespace d1::isa {

struct Pattern {
  std::uint32_t mask, match;
};

// "0000000 ..... 01" -> mask and match; `width` characters of 0, 1 and '.', blanks between them.
constexpr Pattern parse_pattern(std::string_view text, unsigned width) {
  Pattern pattern{0, 0};
  unsigned seen = 0;
  for (const char letter : text) {
    if (letter == ' ') continue;
    if (letter != '0' && letter != '1' && letter != '.') throw "a pattern holds 0, 1 and '.'";
    pattern.mask = pattern.mask << 1 | (letter != '.');
    pattern.match = pattern.match << 1 | (letter == '1');
    ++seen;
  }
  if (seen != width) throw "a pattern has one letter for every bit";
  return pattern;
}

inline constexpr std::size_t kMaxOperands = 8;

struct OperandList {
  std::array<Operand, kMaxOperands> operands{};
  std::uint8_t count = 0;
};

constexpr Operand find_operand(std::string_view word) {
  for (std::size_t i = 0; i < kOperands.size(); ++i)
    if (kOperands[i].word == word) return static_cast<Operand>(i);
  throw "an operand word that is not in table/operands.def";
}

// "rd,imm_i(rs1)" -> rd, imm_i, (rs1)
constexpr OperandList parse_operands(std::string_view text) {
  OperandList list;
  while (!text.empty()) {
    if (text.front() == ',') text.remove_prefix(1);
    std::size_t length = 1;
    while (length < text.size() && text[length] != ',' && text[length] != '(') ++length;
    list.operands[list.count++] = find_operand(text.substr(0, length));
    text.remove_prefix(length);
  }
  return list;
}

}  // namespace d1::isa
