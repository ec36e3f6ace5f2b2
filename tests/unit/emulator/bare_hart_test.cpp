// SPDX-License-Identifier: Apache-2.0
// A bare hart: limits, traps and what it tells of its end.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include <d1/emulator/bare_hart.hpp>
#include <d1/isa/operands.hpp>

namespace d1::emulator {
namespace {

using enum isa::InstructionId;

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::int32_t kMepc = 0x341;

// RAM with a program at its start.
template <std::size_t Count>
void load(BareHart& hart, const std::array<std::uint32_t, Count>& program) {
  std::array<std::uint8_t, 4 * Count> bytes;
  std::memcpy(bytes.data(), program.data(), bytes.size());
  ASSERT_TRUE(hart.add_memory(kBase, 0x1000));
  ASSERT_TRUE(hart.write(kBase, bytes));
  ASSERT_TRUE(hart.set_code(kBase, bytes.size()));
  hart.set_entry(kBase);
}

TEST(BareHart, ALoopOfReturnsFromTrapsEndsAtTheLimit) {
  BareHart hart;
  load(hart,
       std::array{isa::encode(auipc, {.rd = 5}),
                  isa::encode(addi, {.rd = 5, .rs1 = 5, .immediate = 12}),
                  isa::encode(csrrw, {.rs1 = 5, .immediate = kMepc}),
                  isa::encode(addi, {.rd = 6, .rs1 = 6, .immediate = 1}), isa::encode(mret, {})});
  const BareExit exit = hart.run(10'000);
  EXPECT_EQ(exit.reason, BareExit::Reason::Limit);
  // Three instructions, then two a round: none is lost although mret leads into its own block.
  EXPECT_EQ(exit.instructions, 3 + 2 * hart.integer_register(6));
}

}  // namespace
}  // namespace d1::emulator
