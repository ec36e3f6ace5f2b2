// SPDX-License-Identifier: Apache-2.0
// RV64I, M and Zicond at their edges.
#include <limits>

#include "hart_fixture.hpp"

namespace d1::isa::test {
namespace {

using Integer = HartFixture;
using enum InstructionId;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};
constexpr std::uint64_t kMost = std::uint64_t{1} << 63;  // the most negative 64-bit value

TEST_F(Integer, WritesToX0AreDropped) {
  hart.x[10] = 5;
  EXPECT_EQ(run(addi, {.rd = 0, .rs1 = 10, .immediate = 1}), Outcome::Next);
  EXPECT_EQ(hart.x[0], 0u);
}

TEST_F(Integer, DivisionByZeroGivesAllOnesAndKeepsTheDividendAsRemainder) {
  EXPECT_EQ(result(div, 7, 0), kOnes);
  EXPECT_EQ(result(divu, 7, 0), kOnes);
  EXPECT_EQ(result(rem, 7, 0), 7u);
  EXPECT_EQ(result(remu, kOnes, 0), kOnes);
  EXPECT_EQ(result(divw, 7, 0), kOnes);
  EXPECT_EQ(result(divuw, 7, std::uint64_t{1} << 32), kOnes);
  EXPECT_EQ(result(remw, 0x80000000, 0), 0xffffffff80000000u);
  EXPECT_EQ(result(remuw, 0x80000001, 0), 0xffffffff80000001u);
}

TEST_F(Integer, SignedDivisionOverflowGivesTheDividendAndRemainderZero) {
  EXPECT_EQ(result(div, kMost, kOnes), kMost);
  EXPECT_EQ(result(rem, kMost, kOnes), 0u);
  EXPECT_EQ(result(divw, 0x80000000, kOnes), 0xffffffff80000000u);
  EXPECT_EQ(result(remw, 0x80000000, kOnes), 0u);
}

TEST_F(Integer, DivisionRoundsTowardsZero) {
  EXPECT_EQ(result(div, static_cast<std::uint64_t>(-7), 2), static_cast<std::uint64_t>(-3));
  EXPECT_EQ(result(rem, static_cast<std::uint64_t>(-7), 2), kOnes);
}

TEST_F(Integer, HighProductsTreatEachSourceByItsSign) {
  EXPECT_EQ(result(mulh, kOnes, kOnes), 0u);
  EXPECT_EQ(result(mulhu, kOnes, kOnes), kOnes - 1);
  EXPECT_EQ(result(mulhsu, kOnes, kOnes), kOnes);
  EXPECT_EQ(result(mulh, kMost, kMost), std::uint64_t{1} << 62);
  EXPECT_EQ(result(mulhsu, kMost, kMost), 0xc000000000000000u);
  EXPECT_EQ(result(mulw, 0x7fffffff, 2), kOnes - 1);
}

TEST_F(Integer, ShiftsUseTheLowBitsOfTheAmount) {
  EXPECT_EQ(result(sll, 1, 64), 1u);
  EXPECT_EQ(result(sll, 1, 63), kMost);
  EXPECT_EQ(result(srl, kMost, 127), 1u);
  EXPECT_EQ(result(sra, kMost, 63), kOnes);
  EXPECT_EQ(result(sllw, 1, 31), 0xffffffff80000000u);
  EXPECT_EQ(result(sllw, 1, 32), 1u);
  EXPECT_EQ(result(srlw, 0xffffffff80000000, 31), 1u);
  EXPECT_EQ(result(sraw, 0x80000000, 31), kOnes);
  EXPECT_EQ(immediate_result(slli, 1, 63), kMost);
  EXPECT_EQ(immediate_result(srai, kMost, 63), kOnes);
  EXPECT_EQ(immediate_result(srliw, kOnes, 0), kOnes);
  EXPECT_EQ(immediate_result(sraiw, 0x80000000, 1), 0xffffffffc0000000u);
}

TEST_F(Integer, WordOperationsIgnoreTheUpperHalfAndSignExtend) {
  EXPECT_EQ(result(addw, 0xdeadbeef7fffffff, 1), 0xffffffff80000000u);
  EXPECT_EQ(result(subw, 0xdeadbeef00000000, 1), kOnes);
  EXPECT_EQ(immediate_result(addiw, 0x1ffffffff, 0), kOnes);
}

TEST_F(Integer, ComparisonsAreSignedOrUnsignedAsNamed) {
  EXPECT_EQ(result(slt, kOnes, 0), 1u);
  EXPECT_EQ(result(sltu, kOnes, 0), 0u);
  EXPECT_EQ(immediate_result(slti, kMost, -2048), 1u);
  EXPECT_EQ(immediate_result(sltiu, 5, -1), 1u);
}

TEST_F(Integer, ImmediatesOfLogicalOperationsAreSignExtended) {
  EXPECT_EQ(immediate_result(andi, 0xffffffff00000fff, -2048), 0xffffffff00000800u);
  EXPECT_EQ(immediate_result(ori, 0, -1), kOnes);
  EXPECT_EQ(immediate_result(xori, kOnes, -1), 0u);
}

TEST_F(Integer, UpperImmediatesAreSignExtendedAndRelativeToPc) {
  EXPECT_EQ(run(lui, {.rd = 5, .immediate = std::numeric_limits<std::int32_t>::min()}),
            Outcome::Next);
  EXPECT_EQ(hart.x[5], 0xffffffff80000000u);
  hart.pc = kCode;
  EXPECT_EQ(run(auipc, {.rd = 5, .immediate = -4096}), Outcome::Next);
  EXPECT_EQ(hart.x[5], kCode - 4096);
}

TEST_F(Integer, JumpAndLinkWithTheSameSourceAndDestinationJumpsToTheOldValue) {
  hart.x[1] = kData + 1;
  EXPECT_EQ(run(jalr, {.rd = 1, .rs1 = 1, .immediate = 2}), Outcome::Jump);
  EXPECT_EQ(hart.pc, kData + 2);  // bit 0 is cleared
  EXPECT_EQ(hart.x[1], kCode + 4);
}

TEST_F(Integer, CompressedJumpLinksBehindItsTwoBytes) {
  hart.x[10] = kData;
  EXPECT_EQ(run(0x9502), Outcome::Jump);  // c.jalr a0
  EXPECT_EQ(hart.pc, kData);
  EXPECT_EQ(hart.x[1], kCode + 2);
}

TEST_F(Integer, BranchesSetPcTakenOrNot) {
  hart.x[10] = kOnes;
  hart.x[11] = 1;
  EXPECT_EQ(run(blt, {.rs1 = 10, .rs2 = 11, .immediate = -4096}), Outcome::Jump);
  EXPECT_EQ(hart.pc, kCode - 4096);
  hart.pc = kCode;
  EXPECT_EQ(run(bltu, {.rs1 = 10, .rs2 = 11, .immediate = 4094}), Outcome::Jump);
  EXPECT_EQ(hart.pc, kCode + 4);
}

TEST_F(Integer, LoadsExtendByTheirKindAndMayBeMisaligned) {
  poke<std::uint64_t>(kData + 1, 0x8899aabbccddeeff);
  hart.x[10] = kData;
  const auto loaded = [&](InstructionId id) {
    EXPECT_EQ(run(id, {.rd = 12, .rs1 = 10, .immediate = 1}), Outcome::Next);
    return hart.x[12];
  };
  EXPECT_EQ(loaded(lb), kOnes);
  EXPECT_EQ(loaded(lbu), 0xffu);
  EXPECT_EQ(loaded(lh), 0xffffffffffffeeffu);
  EXPECT_EQ(loaded(lhu), 0xeeffu);
  EXPECT_EQ(loaded(lw), 0xffffffffccddeeffu);
  EXPECT_EQ(loaded(lwu), 0xccddeeffu);
  EXPECT_EQ(loaded(ld), 0x8899aabbccddeeffu);
}

TEST_F(Integer, StoresTouchTheirBytesAlone) {
  poke<std::uint64_t>(kData, kOnes);
  hart.x[10] = kData + 8;
  hart.x[11] = 0;
  EXPECT_EQ(run(sh, {.rs1 = 10, .rs2 = 11, .immediate = -5}), Outcome::Next);
  EXPECT_EQ(peek<std::uint64_t>(kData), 0xffffff0000ffffffu);
}

TEST_F(Integer, AccessesAcrossTheEndOfMemoryTrapAndChangeNothing) {
  hart.x[10] = kOutside - 4;
  hart.x[12] = 77;
  expect_trap(run(ld, {.rd = 12, .rs1 = 10}), Cause::LoadAccess, kOutside - 4);
  EXPECT_EQ(hart.x[12], 77u);
  EXPECT_EQ(hart.pc, kCode);
  expect_trap(run(sd, {.rs1 = 10, .rs2 = 12}), Cause::StoreAccess, kOutside - 4);
  EXPECT_EQ(peek<std::uint32_t>(kOutside - 4), 0u);
}

TEST_F(Integer, ConditionalZeroTestsTheSecondSource) {
  EXPECT_EQ(result(czero_eqz, 9, 0), 0u);
  EXPECT_EQ(result(czero_eqz, 9, kMost), 9u);
  EXPECT_EQ(result(czero_nez, 9, 0), 9u);
  EXPECT_EQ(result(czero_nez, 9, kMost), 0u);
}

TEST_F(Integer, EncodingsThatAreNoInstructionTrapWithThemselvesAsValue) {
  expect_trap(run(0), Cause::IllegalInstruction, 0);
  expect_trap(run(0xffffffff), Cause::IllegalInstruction, 0xffffffff);
}

}  // namespace
}  // namespace d1::isa::test
