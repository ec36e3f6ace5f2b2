// SPDX-License-Identifier: Apache-2.0
// The encodings of Xd1 as the table has them, against the reference page, LLVM's assembler and the
// intrinsics that kernels use.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <d1/isa/csr.hpp>
#include <d1/isa/instruction.hpp>
#include <d1/isa/semantics/xd1.hpp>

#include "object_file.hpp"

namespace d1::isa {
namespace {

constexpr InstructionId kXd1[] = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) InstructionId::id,
#include <d1/isa/table/xd1.def>
#undef D1_INSTRUCTION
};
constexpr const char* kIntrinsicNames[] = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) #id,
#include <d1/isa/table/xd1.def>
#undef D1_INSTRUCTION
};

std::string unit_name(Unit unit) {
  switch (unit) {
    case Unit::Matrix:
      return "Matrix";
    case Unit::Simd:
      return "Simd";
    case Unit::Address:
      return "Address";
    case Unit::None:
      return "None";
    default:
      return "not a unit of Xd1";
  }
}

std::vector<std::string> operand_words(InstructionId id) {
  std::vector<std::string> words;
  std::istringstream all{std::string(facts(id).operands)};
  for (std::string word; std::getline(all, word, ',');) words.push_back(word);
  return words;
}

// The operand word that fills a field ("vd" or "rd" for the field of rd), or `otherwise`.
std::string word_of(InstructionId id, const std::string& field, const std::string& otherwise) {
  for (const std::string& word : operand_words(id))
    if (word.substr(1) == field.substr(1)) return word;
  return otherwise;
}

unsigned bits(InstructionId id, unsigned high, unsigned low) {
  return facts(id).match >> low & ((1u << (high - low + 1)) - 1);
}

std::string directive(InstructionId id) {
  return fmt::format(".insn r 0x{:02x}, {}, {}, {}, {}, {}", bits(id, 6, 0), bits(id, 14, 12),
                     bits(id, 31, 25), word_of(id, "rd", "x0"), word_of(id, "rs1", "x0"),
                     word_of(id, "rs2", "x0"));
}

// One line of the table in firmware/isa/xd1.md.
std::string table_line(InstructionId id) {
  const InstructionFacts& what = facts(id);
  const Xd1Groups groups = xd1_groups(id);
  const auto words = operand_words(id);
  std::string registers = "-", cycles = "-";
  if (groups.vd != 0) {
    registers = fmt::format("{}, {}", groups.vd, groups.vs1);
    if (groups.vs2 != 0) registers += fmt::format(", {}", groups.vs2);
    cycles = std::to_string(groups.cycles);
  }
  return fmt::format("| `{}{}{}` | `{:07b} {} {} {:03b} {} {:07b}` | `{}` | {} | {} | {} | {} |",
                     what.mnemonic, words.empty() ? "" : " ", fmt::join(words, ", "),
                     bits(id, 31, 25), word_of(id, "rs2", "00000"), word_of(id, "rs1", "00000"),
                     bits(id, 14, 12), word_of(id, "rd", "00000"), bits(id, 6, 0), directive(id),
                     registers, unit_name(what.unit), cycles, what.latency);
}

TEST(Xd1Encoding, TheReferencePageListsEveryInstructionAsTheTableHasIt) {
  std::ifstream page(D1_XD1_PAGE);
  ASSERT_TRUE(page) << D1_XD1_PAGE;
  std::vector<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "<!-- encodings: end -->") inside = false;
    if (inside && line.starts_with("| `")) lines.push_back(line);
    if (line == "<!-- encodings: begin -->") inside = true;
  }
  std::vector<std::string> expected;
  for (const InstructionId id : kXd1) expected.push_back(table_line(id));
  EXPECT_EQ(lines, expected) << "the table in firmware/isa/xd1.md should read:\n"
                             << fmt::format("{}", fmt::join(expected, "\n"));
}

TEST(Xd1Encoding, AllLieInTheCustomSpacesWithTheirFixedFieldsFixed) {
  for (const InstructionId id : kXd1) {
    EXPECT_EQ(facts(id).extension, Extension::Xd1);
    EXPECT_EQ(bits(id, 6, 0), facts(id).operands.starts_with('v') ? 0x0bu : 0x2bu);
    // Every bit of an unused field is part of the encoding: set, it is another one, or none.
    const std::uint32_t fixed = facts(id).mask & 0x01ff8f80;
    for (unsigned bit = 7; bit < 25; ++bit) {
      if ((fixed >> bit & 1) == 0) continue;
      EXPECT_EQ(decode(facts(id).match | 1u << bit).id, InstructionId::Illegal)
          << facts(id).mnemonic << " bit " << bit;
    }
  }
}

TEST(Xd1Encoding, NothingElseInTheCustomSpacesIsAnInstruction) {
  std::size_t legal = 0;
  for (const std::uint32_t opcode : {0x0bu, 0x2bu})
    for (std::uint32_t function = 0; function < 1024; ++function) {
      const auto id = decode(opcode | (function & 7) << 12 | function >> 3 << 25).id;
      legal += id != InstructionId::Illegal;
    }
  EXPECT_EQ(legal, std::size(kXd1));
}

TEST(Xd1Encoding, LlvmAssemblesTheDirectivesToInstructionsThatReadBackTheSame) {
  const std::string base = testing::TempDir() + "d1_xd1_encodings";
  std::vector<std::string> expected;
  {
    std::ofstream source(base + ".s");
    for (const InstructionId id : kXd1) {
      std::string line = directive(id);
      std::string text = std::string(facts(id).mnemonic);
      const auto replace = [&line](const std::string& word, const std::string& name) {
        line.replace(line.rfind(' ' + word) + 1, word.size(), name);
      };
      // Registers that every group may start at; each operand a different one.
      std::string separator = " ";
      for (const std::string& word : operand_words(id)) {
        const bool vector = word[0] == 'v';
        const char last = word.back();
        const std::string number = last == 'd' ? "8" : last == '1' ? "16" : "24";
        replace(word + (last == '2' ? "" : ","),
                (vector ? "v" : "x") + number + (last == '2' ? "" : ","));
        const char* const abi = last == 'd' ? "s0" : last == '1' ? "a6" : "s8";
        text += separator + (vector ? "v" + number : abi);
        separator = ", ";
      }
      source << line << '\n';
      expected.push_back(text);
    }
  }
  const std::string command = std::string(D1_LLVM_MC) +
                              " -triple=riscv64 -mattr=+v -filetype=obj " + base + ".s -o " + base +
                              ".o";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const test::ObjectFile object(base + ".o");
  ASSERT_TRUE(object.valid());
  const auto code = object.text();
  ASSERT_EQ(code.size(), expected.size());
  for (std::size_t i = 0; i < code.size(); ++i) {
    EXPECT_EQ(code[i].id, kXd1[i]) << expected[i];
    EXPECT_EQ(disassemble(code[i], 0), expected[i]);
  }
}

// Extracts the one Xd1 instruction of a function; Illegal if there is another number of them.
InstructionId only_xd1(const std::vector<Instruction>& code) {
  InstructionId found = InstructionId::Illegal;
  unsigned count = 0;
  for (const Instruction& each : code)
    if (each.id != InstructionId::Illegal && facts(each.id).extension == Extension::Xd1) {
      found = each.id;
      ++count;
    }
  return count == 1 ? found : InstructionId::Illegal;
}

TEST(Xd1Encoding, EachIntrinsicEmitsItsInstruction) {
  const test::ObjectFile object(D1_INTRINSICS_OBJECT);
  ASSERT_TRUE(object.valid()) << D1_INTRINSICS_OBJECT;
  const auto functions = object.functions();
  for (std::size_t i = 0; i < std::size(kXd1); ++i) {
    std::string name = kIntrinsicNames[i];
    if (!name.starts_with("d1_")) name = "d1_" + name;
    ASSERT_TRUE(functions.contains(name)) << name;
    EXPECT_EQ(only_xd1(functions.at(name)), kXd1[i]) << name;
    // The compiler must have chosen registers that the group rules allow.
    for (const Instruction& each : functions.at(name)) {
      const Xd1Groups groups = xd1_groups(each.id);
      if (groups.vd == 0) continue;
      EXPECT_EQ(each.rd % groups.vd, 0) << name;
      EXPECT_EQ(each.rs1 % groups.vs1, 0) << name;
    }
  }
}

TEST(Xd1Encoding, EachRegisterFunctionReadsOrWritesItsCsr) {
  const std::pair<const char*, const char*> pairs[] = {
      {"d1_format", "d1fmt"},    {"d1_set_format", "d1fmt"}, {"d1_bias", "d1bias"},
      {"d1_set_bias", "d1bias"}, {"d1_seed", "d1seed"},      {"d1_set_seed", "d1seed"},
      {"d1_set_modes", "d1modes"},
      {"d1_rank", "d1rank"},     {"d1_nodes", "d1nodes"},    {"d1_grid", "d1grid"},
      {"d1_die", "d1die"},       {"d1_node", "d1node"},      {"d1_node_harts", "d1harts"}};
  const auto functions = test::ObjectFile(D1_INTRINSICS_OBJECT).functions();
  for (const auto& [function, name] : pairs) {
    ASSERT_TRUE(functions.contains(function)) << function;
    const bool writes = std::string(function).find("_set_") != std::string::npos;
    const auto id = writes ? InstructionId::csrrw : InstructionId::csrrs;
    const auto& code = functions.at(function);
    const auto access = std::find_if(code.begin(), code.end(), [&](const Instruction& each) {
      return each.id == id && csr_name(static_cast<unsigned>(each.immediate) & 0xfff) == name;
    });
    EXPECT_NE(access, code.end()) << function;
  }
}

}  // namespace
}  // namespace d1::isa
