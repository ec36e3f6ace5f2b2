// SPDX-License-Identifier: Apache-2.0
// Vector lengths that are not what code was made for.
#include "bare_agreement.hpp"

namespace d1::emulator::test {
namespace {

using enum isa::InstructionId;
using isa::encode;

constexpr unsigned kT2 = 7, kS1 = 9;
constexpr std::uint32_t kUnmasked = 1u << 25;
constexpr std::int32_t kBytesM1 = 0xc0;          // e8, m1, ta, ma
constexpr std::int32_t kEnableVectors = 0x600;  // mstatus.VS

std::vector<std::uint32_t> with_vectors(const std::vector<std::uint32_t>& body) {
  std::vector<std::uint32_t> program{
      encode(addi, {.rd = kT0, .immediate = kEnableVectors}),
      encode(csrrs, {.rs1 = kT0, .immediate = 0x300}),
      encode(auipc, {.rd = kS1, .immediate = 0x10'0000})};
  program.insert(program.end(), body.begin(), body.end());
  return program;
}

// The rest of a block behind a length below VLMAX has code of its own once that was met often.
TEST(Lengths, AreLimitedToVlmaxInCodeForAnyLength) {
  const BareExit exit = expect_agreement(
      with_vectors({encode(addi, {.rd = kT1, .immediate = 400}),
                    encode(addi, {.rd = kA0, .immediate = 5}),
                    encode(vsetvli, {.rd = kT0, .rs1 = kA0, .immediate = kBytesM1}),
                    encode(vadd_vi, {.rd = 1, .rs1 = 1, .rs2 = 1, .bits = kUnmasked}),
                    encode(vsetvli, {.rd = kT0, .rs1 = kT1, .immediate = kBytesM1}),
                    encode(vadd_vi, {.rd = 1, .rs1 = 1, .rs2 = 1, .bits = kUnmasked}),
                    encode(add, {.rd = kT2, .rs1 = kT2, .rs2 = kT0}),
                    encode(addi, {.rd = kT1, .rs1 = kT1, .immediate = -1}),
                    encode(bne, {.rs1 = kT1, .immediate = -24}),
                    encode(vse8_v, {.rd = 1, .rs1 = kS1, .bits = kUnmasked})}),
      0);
  EXPECT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint));
}

TEST(Lengths, AreShortBehindALoadThatEndsAtTheFirstFault) {
  const BareExit exit = expect_agreement(
      with_vectors({encode(addi, {.rd = kT1, .immediate = 100}),
                    encode(vsetvli, {.rd = kT0, .immediate = kBytesM1}),
                    encode(vle8ff_v, {.rd = 2, .rs1 = kA0, .bits = kUnmasked}),
                    encode(vadd_vi, {.rd = 2, .rs1 = 3, .rs2 = 2, .bits = kUnmasked}),
                    encode(vse8_v, {.rd = 2, .rs1 = kS1, .bits = kUnmasked}),
                    encode(addi, {.rd = kT1, .rs1 = kT1, .immediate = -1}),
                    encode(bne, {.rs1 = kT1, .immediate = -20})}),
      kEnd - 10);
  EXPECT_EQ(exit.cause, static_cast<std::uint64_t>(isa::Cause::Breakpoint));
}

}  // namespace
}  // namespace d1::emulator::test
