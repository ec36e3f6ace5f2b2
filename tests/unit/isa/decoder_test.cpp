// SPDX-License-Identifier: Apache-2.0
// Decoder, encoder and disassembler. That every encoding agrees with LLVM is checked in
// tests/conformance/isa.
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include <d1/isa/operands.hpp>

namespace d1::isa {
namespace {

using enum InstructionId;

TEST(Decoder, FillsTheStandardFieldsAndTheImmediate) {
  const Instruction instruction = decode(0xfe512c23);  // sw t0, -8(sp)
  EXPECT_EQ(instruction.id, sw);
  EXPECT_EQ(instruction.length, 4);
  EXPECT_EQ(instruction.rs1, 2);
  EXPECT_EQ(instruction.rs2, 5);
  EXPECT_EQ(instruction.immediate, -8);
  EXPECT_EQ(instruction.full, 0xfe512c23u);
}

TEST(Decoder, ExpandsCompressedInstructionsAndRemembersTheirBits) {
  const Instruction instruction = decode(0xabcd1141);  // c.addi sp, -16, and what follows it
  EXPECT_EQ(instruction.id, addi);
  EXPECT_EQ(instruction.length, 2);
  EXPECT_EQ(instruction.raw, 0x1141u);
  EXPECT_EQ(instruction.full, 0xff010113u);
  EXPECT_EQ(instruction.immediate, -16);
}

TEST(Decoder, ReservedCompressedEncodingsAreIllegalWithLengthTwo) {
  for (const std::uint32_t bits : {0x0000u,  // all zeros
                                   0x0004u,  // c.addi4spn with immediate 0
                                   0x2001u,  // c.addiw to x0
                                   0x6101u,  // c.addi16sp with immediate 0
                                   0x6081u,  // c.lui with immediate 0
                                   0x4002u,  // c.lwsp to x0
                                   0x6002u,  // c.ldsp to x0
                                   0x8002u,  // c.jr to x0
                                   0x8000u,  // quadrant 0, funct3 4
                                   0x9c41u,  // the free place beside c.subw and c.addw
                                   0x9c61u}) {
    const Instruction instruction = decode(bits);
    EXPECT_EQ(instruction.id, Illegal) << std::hex << bits;
    EXPECT_EQ(instruction.length, 2) << std::hex << bits;
  }
}

TEST(Decoder, CompressedHintsExpandToInstructionsWithoutEffect) {
  EXPECT_EQ(decode(0x0001).full, 0x00000013u);  // c.nop
  EXPECT_EQ(decode(0x4005).rd, 0);              // c.li x0, 1
  EXPECT_EQ(decode(0x8006).rd, 0);              // c.mv x0, ra
}

TEST(Decoder, ImmediatesOfBothEndsOfTheirRangeSurviveEncodingAndDecoding) {
  const auto round_trip = [](InstructionId id, std::int32_t value) {
    return decode(encode(id, {.rd = 1, .rs1 = 2, .rs2 = 3, .immediate = value})).immediate;
  };
  for (const std::int32_t value : {-2048, -1, 0, 1, 2047}) {
    EXPECT_EQ(round_trip(addi, value), value);
    EXPECT_EQ(round_trip(sd, value), value);
  }
  for (const std::int32_t value : {-4096, -2, 0, 2, 4094}) EXPECT_EQ(round_trip(beq, value), value);
  for (const std::int32_t value : {-1048576, -2, 2, 1048574})
    EXPECT_EQ(round_trip(jal, value), value);
  for (const std::int32_t value : {std::numeric_limits<std::int32_t>::min(), -4096, 4096})
    EXPECT_EQ(round_trip(lui, value), value);
  EXPECT_EQ(round_trip(slli, 63), 63);
  EXPECT_EQ(round_trip(sraiw, 31), 31);
  EXPECT_EQ(round_trip(csrrw, 0xfff), 0xfff);
}

TEST(Decoder, TheWidestImmediateIsTheOneThatCounts) {
  EXPECT_EQ(immediate_operand(csrrwi), Operand::csr);
  EXPECT_EQ(immediate_operand(InstructionId::vsetivli), Operand::vtypei10);
  EXPECT_EQ(immediate_operand(add), Operand::Count);
}

TEST(Decoder, RandomWordsDecodeToLinesOfTheTableThatMatchThem) {
  constexpr std::uint64_t kSeed = 0xdec0;
  std::mt19937_64 random{kSeed};
  unsigned found = 0;
  for (unsigned i = 0; i < 200'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    const Instruction instruction = decode(bits);
    EXPECT_EQ(instruction.length, (bits & 3) == 3 ? 4 : 2);
    if (instruction.id == Illegal) continue;
    ++found;
    EXPECT_EQ(instruction.full & facts(instruction.id).mask, facts(instruction.id).match)
        << std::hex << bits << " seed " << kSeed;
  }
  EXPECT_GT(found, 100'000u);
}

std::string text(std::uint32_t bits, std::uint64_t pc = 0x1000) {
  return disassemble(decode(bits), pc);
}

TEST(Disassembler, ShowsTargetsAsAddresses) {
  EXPECT_EQ(text(encode(beq, {.rs1 = 10, .rs2 = 11, .immediate = -16})), "beq a0, a1, 0xff0");
  EXPECT_EQ(text(encode(jal, {.rd = 0, .immediate = -8}), 4), "jal zero, 0xfffffffffffffffc");
}

TEST(Disassembler, ShowsOffsetsSuffixesAndNames) {
  EXPECT_EQ(text(encode(ld, {.rd = 10, .rs1 = 2, .immediate = -8})), "ld a0, -0x8(sp)");
  EXPECT_EQ(text(encode(lr_w, {.rd = 10, .rs1 = 11, .bits = 3u << 25})), "lr.w.aqrl a0, (a1)");
  EXPECT_EQ(text(encode(fence, {.bits = 0x0330'0000})), "fence rw, rw");
  EXPECT_EQ(text(encode(csrrs, {.rd = 10, .rs1 = 0, .immediate = 0x300})),
            "csrrs a0, mstatus, zero");
  EXPECT_EQ(text(encode(csrrs, {.rd = 10, .rs1 = 0, .immediate = 0xb1f})),
            "csrrs a0, mhpmcounter31, zero");
  EXPECT_EQ(text(encode(csrrwi, {.rd = 0, .rs1 = 1, .immediate = 0x800})),
            "csrrwi zero, d1fmt, 0x1");
  EXPECT_EQ(text(0x0100000f), "pause");
}

TEST(Disassembler, ShowsCompressedInstructionsExpanded) {
  EXPECT_EQ(text(0x1141), "addi sp, sp, -0x10");
}

TEST(Disassembler, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(text(0), "<unknown>");
  EXPECT_EQ(text(0xffffffff), "<unknown>");
}

}  // namespace
}  // namespace d1::isa
