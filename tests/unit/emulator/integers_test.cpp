// SPDX-License-Identifier: Apache-2.0
// Integer instructions over numbers at which hosts do otherwise: divisions by zero and minus one,
// the most negative numbers, shifts by more than there is.
#include "bare_agreement.hpp"

namespace d1::emulator::test {
namespace {

using enum isa::InstructionId;
using isa::encode;

constexpr isa::InstructionId kInstructions[] = {
    add,    sub,   sll,   slt,    sltu,  xor_,      srl,       sra,   or_,   and_,  addw, subw,
    sllw,   srlw,  sraw,  mul,    mulh,  mulhsu,    mulhu,     mulw,  div,   divu,  rem,  remu,
    divw,   divuw, remw,  remuw,  andn,  orn,       xnor,      max,   maxu,  min,   minu, rol,
    ror,    rolw,  rorw,  sh1add, sh2add, sh3add,   add_uw,    sh1add_uw, sh2add_uw, sh3add_uw,
    bclr,   bext,  binv,  bset,   czero_eqz, czero_nez};

// Each instruction on a0 and a1: into a third register, into each of the two, and with one of them
// twice. Results go to memory.
std::vector<std::uint32_t> all_instructions() {
  constexpr unsigned kS1 = 9;
  std::vector<std::uint32_t> program{encode(auipc, {.rd = kS1, .immediate = 0x10'0000})};
  std::int32_t offset = 0;
  const auto store = [&](unsigned guest) {
    program.push_back(encode(sd, {.rs1 = kS1, .rs2 = guest, .immediate = offset}));
    if ((offset += 8) != 2040) return;
    program.push_back(encode(addi, {.rd = kS1, .rs1 = kS1, .immediate = offset}));
    offset = 0;
  };
  for (const isa::InstructionId id : kInstructions) {
    program.push_back(encode(id, {.rd = kT0, .rs1 = kA0, .rs2 = kA1}));
    store(kT0);
    for (const unsigned in_place : {kA0, kA1}) {
      program.push_back(encode(addi, {.rd = kT1, .rs1 = in_place}));
      program.push_back(encode(id, {.rd = in_place, .rs1 = kA0, .rs2 = kA1}));
      store(in_place);
      program.push_back(encode(addi, {.rd = in_place, .rs1 = kT1}));
    }
    program.push_back(encode(id, {.rd = kS2, .rs1 = kA0, .rs2 = kA0}));
    store(kS2);
  }
  return program;
}

TEST(Integers, AgreeAtTheEdgesOfTheirRanges) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63, kMostWord = 0xffff'ffff'8000'0000;
  constexpr std::uint64_t kNumbers[] = {0, 1, ~0ull, kMost, kMostWord, 0x1234'5678'9abc'def0};
  const std::vector<std::uint32_t> program = all_instructions();
  for (const std::uint64_t left : kNumbers)
    for (const std::uint64_t right : kNumbers) {
      SCOPED_TRACE(testing::Message() << std::hex << left << ", " << right);
      const BareExit exit = expect_agreement(program, left, right);
      ASSERT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint));
    }
}

}  // namespace
}  // namespace d1::emulator::test
