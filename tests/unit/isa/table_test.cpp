// SPDX-License-Identifier: Apache-2.0
// Rules that every line of the instruction tables keeps.
#include <bit>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <d1/isa/operands.hpp>
#include <d1/isa/semantics/table.hpp>

namespace d1::isa {
namespace {

constexpr auto kCount = static_cast<unsigned>(InstructionId::Count);

std::string name_of(unsigned index) {
  return std::string{facts(static_cast<InstructionId>(index)).mnemonic};
}

TEST(InstructionTable, NoEncodingBelongsToTwoInstructionsButPauseWhichIsAFence) {
  for (unsigned i = 1; i < kCount; ++i)
    for (unsigned j = i + 1; j < kCount; ++j) {
      const auto a = static_cast<InstructionId>(i);
      const auto b = static_cast<InstructionId>(j);
      if (a == InstructionId::fence && b == InstructionId::pause) continue;
      const std::uint32_t common = facts(a).mask & facts(b).mask;
      EXPECT_NE(facts(a).match & common, facts(b).match & common)
          << name_of(i) << " and " << name_of(j) << " overlap";
    }
}

TEST(InstructionTable, EveryVariableBitBelongsToExactlyOneOperand) {
  for (unsigned i = 1; i < kCount; ++i) {
    const auto id = static_cast<InstructionId>(i);
    std::uint32_t covered = 0;
    for (const Operand operand : operands_of(id)) {
      const std::uint32_t bits = facts(operand).field.mask();
      EXPECT_EQ(covered & bits, 0u) << name_of(i) << ": operands share bits";
      covered |= bits;
    }
    EXPECT_EQ(covered, ~facts(id).mask)
        << name_of(i) << ": operands " << facts(id).operands << " and pattern disagree";
  }
}

TEST(InstructionTable, EveryInstructionIsFoundByTheDecoderWithAllVariableBitsZeroAndOne) {
  for (unsigned i = 1; i < kCount; ++i) {
    const auto id = static_cast<InstructionId>(i);
    EXPECT_EQ(decode(facts(id).match).id, id) << name_of(i);
    EXPECT_EQ(decode(facts(id).match | ~facts(id).mask).id, id) << name_of(i);
    EXPECT_EQ(facts(id).match & 3, 3u) << name_of(i) << ": a full encoding ends in 11";
  }
}

TEST(InstructionTable, EveryInstructionHasSemantics) {
  for (unsigned i = 0; i < kCount; ++i)
    EXPECT_NE(semantics_of(static_cast<InstructionId>(i)), nullptr) << name_of(i);
}

TEST(InstructionTable, MnemonicsAreUnique) {
  std::set<std::string> seen;
  for (unsigned i = 1; i < kCount; ++i)
    EXPECT_TRUE(seen.insert(name_of(i)).second) << name_of(i) << " stands in the tables twice";
}

}  // namespace
}  // namespace d1::isa
