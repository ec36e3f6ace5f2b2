// SPDX-License-Identifier: Apache-2.0
// Loads and stores at the edges of memory: whatever checks the translator shares between accesses
// or does once for many rounds of a loop, a program ends where and how the interpreter ends it.
#include "bare_agreement.hpp"

namespace d1::emulator::test {
namespace {

using enum isa::InstructionId;
using isa::encode;

constexpr std::uint64_t kProgram = kBase + 32;

TEST(Accesses, ALoopUpwardTrapsAtTheFirstAddressBehindMemory) {
  const auto loop = [](std::int32_t step) {
    return std::vector{encode(sw, {.rs1 = kA0, .rs2 = kA0}),
                       encode(lw, {.rd = kT1, .rs1 = kA0, .immediate = -4}),
                       encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = step}),
                       encode(bne, {.rs1 = kA0, .rs2 = kA1, .immediate = -12})};
  };
  for (const std::int32_t step : {4, 64, 512}) {
    const BareExit exit = expect_agreement(loop(step), kEnd - 0x1'0000);
    EXPECT_EQ(exit.value, kEnd) << step;
    EXPECT_EQ(exit.pc, kProgram) << step;
  }
}

TEST(Accesses, ALoopDownwardTrapsAtTheFirstAddressBeforeMemory) {
  const BareExit exit =
      expect_agreement({encode(lbu, {.rd = kT1, .rs1 = kA0, .immediate = -1}),
                        encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = -3}),
                        encode(bne, {.rs1 = kA0, .rs2 = kA1, .immediate = -8})},
                       kBase + 3000);
  EXPECT_EQ(exit.value, kBase - 1);
  EXPECT_EQ(exit.pc, kProgram);
}

TEST(Accesses, OneThatSharesItsCheckTrapsAtItsOwnPlace) {
  // The second store is the one outside; the first and what is between have been done.
  const BareExit exit =
      expect_agreement({encode(sd, {.rs1 = kA0, .rs2 = kA0}),
                        encode(addi, {.rd = kT0, .rs1 = 0, .immediate = 7}),
                        encode(addi, {.rd = kS2, .rs1 = kA0, .immediate = 16}),
                        encode(sd, {.rs1 = kS2, .rs2 = kT0, .immediate = 8}),
                        encode(addi, {.rd = kT0, .rs1 = 0, .immediate = 9})},
                       kEnd - 24);
  EXPECT_EQ(exit.value, kEnd);
  EXPECT_EQ(exit.pc, kProgram + 12);
  expect_agreement({encode(ld, {.rd = kT0, .rs1 = kA0, .immediate = 8}),
                    encode(ld, {.rd = kT1, .rs1 = kA0, .immediate = -8})},
                   kBase + 4);
}

// What is checked together is told from one value of a register, not from its name.
TEST(Accesses, ARegisterThatIsLoadedAnewIsCheckedAnew) {
  const BareExit exit = expect_agreement({encode(sd, {.rs1 = kA0, .rs2 = kA1}),
                                          encode(ld, {.rd = kA0, .rs1 = kA0}),
                                          encode(ld, {.rd = kT0, .rs1 = kA0, .immediate = 8})},
                                         kEnd - 4096, kEnd - 8);
  EXPECT_EQ(exit.value, kEnd);
  EXPECT_EQ(exit.pc, kProgram + 8);
}

TEST(Accesses, ALoopOfManyTurnsCoversMemoryOnce) {
  const BareExit exit =
      expect_agreement({encode(lui, {.rd = kA2, .immediate = 0x10'0000}),
                        encode(add, {.rd = kA2, .rs1 = kA2, .rs2 = kA0}),
                        encode(lw, {.rd = kT1, .rs1 = kA0}),
                        encode(addi, {.rd = kT1, .rs1 = kT1, .immediate = 3}),
                        encode(sw, {.rs1 = kA0, .rs2 = kT1}),
                        encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = 8}),
                        encode(bltu, {.rs1 = kA0, .rs2 = kA2, .immediate = -16})},
                       kBase + 0x1000);
  EXPECT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint));
  EXPECT_EQ(exit.instructions, 4u + 2 + 0x10'0000 / 8 * 5);
}

// a2 = a0 + distance, which the loops go.
std::vector<std::uint32_t> loop_over(std::int32_t distance, std::vector<std::uint32_t> body) {
  std::vector<std::uint32_t> program{
      encode(lui, {.rd = kA2, .immediate = (distance + 0x800) & ~0xfff}),
      encode(addi, {.rd = kA2, .rs1 = kA2, .immediate = (distance << 20) >> 20}),
      encode(add, {.rd = kA2, .rs1 = kA2, .rs2 = kA0})};
  program.insert(program.end(), body.begin(), body.end());
  const auto back = static_cast<std::int32_t>(4 * body.size());
  program.push_back(encode(bne, {.rs1 = kA0, .rs2 = kA2, .immediate = -back}));
  return program;
}
std::vector<std::uint32_t> copying(std::int32_t step) {
  return {encode(lbu, {.rd = kT0, .rs1 = kA0}),
          encode(addi, {.rd = kT0, .rs1 = kT0, .immediate = 1}),
          encode(sb, {.rs1 = kA0, .rs2 = kT0}),
          encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = step})};
}

// The translator tells beforehand how many rounds there are, and makes two at a time.
TEST(Accesses, ALoopWhoseRoundsCanBeCountedMakesAsMany) {
  for (const std::int32_t step : {1, -1, 8, -64, 1024})
    for (const std::int32_t rounds : {1, 2, 3, 255, 256, 257, 1000}) {
      const BareExit exit =
          expect_agreement(loop_over(step * rounds, copying(step)), kBase + 0x20'0000);
      EXPECT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint));
      EXPECT_EQ(exit.instructions, 4u + 3 + 5 * static_cast<unsigned>(rounds))
          << step << ", " << rounds;
    }
}

TEST(Accesses, ALoopThatPassesItsEndByGoesOnToTheEndOfMemory) {
  for (const std::int32_t distance : {801, -800, 0})
    EXPECT_EQ(expect_agreement(loop_over(distance, copying(8)), kEnd - 0x2000).value, kEnd);
  EXPECT_EQ(expect_agreement(loop_over(201, copying(2)), kEnd - 0x2000).value, kEnd);
}

TEST(Accesses, ALoopWhoseRoundsAreCountedMayDoPartOfThemElsewhere) {
  const std::vector<std::uint32_t> body = {
      encode(lw, {.rd = kT0, .rs1 = kA0}), encode(add, {.rd = kT1, .rs1 = kA1, .rs2 = kS2}),
      encode(sw, {.rs1 = kT1, .rs2 = kT0}), encode(addi, {.rd = kS2, .rs1 = kS2, .immediate = 4}),
      encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = 8})};
  for (const std::int32_t rounds : {7, 300, 1024}) {
    const BareExit exit = expect_agreement(loop_over(8 * rounds, body), kBase + 0x1000, kOther);
    EXPECT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint)) << rounds;
  }
  const BareExit exit = expect_agreement(loop_over(8 * 2000, body), kBase + 0x1000, kOther);
  EXPECT_EQ(exit.value, kOther + kOtherBytes);
}

// Too far for checks of many rounds at once: then each round checks, counted or not.
TEST(Accesses, ALoopWhoseRoundsAreCountedAndGoFarTrapsAtTheFirstAddressBehindMemory) {
  constexpr std::int32_t kRounds = 2000, kFar = 2047;
  const auto counted = [](std::vector<std::uint32_t> body) {
    body.push_back(encode(addi, {.rd = kA2, .rs1 = kA2, .immediate = -1}));
    const auto back = static_cast<std::int32_t>(4 * body.size());
    body.push_back(encode(bne, {.rs1 = kA2, .immediate = -back}));
    body.insert(body.begin(), encode(addi, {.rd = kA2, .immediate = kRounds}));
    return body;
  };
  const std::uint32_t further = encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = kFar});
  const std::uint64_t from = kEnd - 100 * 3 * kFar;
  const BareExit steps = expect_agreement(
      counted({encode(sb, {.rs1 = kA0, .rs2 = kA2}), further, further, further}), from);
  EXPECT_EQ(steps.value, kEnd);
  const BareExit reach =
      expect_agreement(counted({encode(sb, {.rs1 = kA0, .rs2 = kA2, .immediate = -kFar}),
                                encode(addi, {.rd = kT1, .rs1 = kA0, .immediate = kFar}),
                                encode(sb, {.rs1 = kT1, .rs2 = kA2, .immediate = kFar}),
                                encode(addi, {.rd = kA0, .rs1 = kA0, .immediate = 1})}),
                       kEnd - 5000);
  EXPECT_EQ(reach.value, kEnd);
}

// Loops use more registers than are pinned, s2 to s7 and t0 to t2 most.
TEST(Accesses, ALoopOverRegistersThatAreNotPinnedLeavesAllInPlace) {
  std::vector<std::uint32_t> program;
  for (unsigned guest = 1; guest < 32; ++guest)
    if (guest != kA0) program.push_back(encode(addi, {.rd = guest, .rs1 = 0, .immediate = 3}));
  program.push_back(encode(addi, {.rd = kA2, .rs1 = 0, .immediate = 500}));
  const std::size_t top = program.size();
  for (int repeat = 0; repeat < 2; ++repeat)
    for (unsigned guest = 18; guest < 29; ++guest)
      program.push_back(encode(add, {.rd = guest, .rs1 = guest, .rs2 = guest - 1}));
  program.push_back(encode(sd, {.rs1 = kA0, .rs2 = 20, .immediate = 8}));
  program.push_back(encode(addi, {.rd = kA2, .rs1 = kA2, .immediate = -1}));
  const auto back = static_cast<std::int32_t>(4 * (program.size() - top));
  program.push_back(encode(bne, {.rs1 = kA2, .immediate = -back}));
  program.push_back(encode(jal, {.rd = 1, .immediate = 4}));
  program.push_back(encode(sd, {.rs1 = kA0, .rs2 = 28, .immediate = 16}));
  program.push_back(encode(sd, {.rs1 = kA0, .rs2 = 19, .immediate = 24}));
  const BareExit exit = expect_agreement(program, kBase + 0x2000);
  EXPECT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint));
}

}  // namespace
}  // namespace d1::emulator::test
