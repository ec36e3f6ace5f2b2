// SPDX-License-Identifier: Apache-2.0
// vsetvli, vsetivli and vsetvl: which types are supported, how vl follows, what x0 means.
#include "vector_fixture.hpp"

namespace d1::isa::test {
namespace {

// Bits of vtype.
std::uint32_t bits_of(unsigned sew, int lmul_log2, bool tail = false, bool mask = false) {
  unsigned log2 = 0;
  while (8U << log2 < sew) ++log2;
  return (static_cast<unsigned>(lmul_log2) & 7) | log2 << 3 | (tail ? 64U : 0U) |
         (mask ? 128U : 0U);
}

class VectorConfiguration : public VectorFixture {
 protected:
  Outcome vsetvli(unsigned rd, unsigned rs1, std::uint32_t type) {
    return run(facts(InstructionId::vsetvli).match | rd << 7 | rs1 << 15 | type << 20);
  }
  Outcome vsetivli(unsigned rd, unsigned length, std::uint32_t type) {
    return run(facts(InstructionId::vsetivli).match | rd << 7 | length << 15 | type << 20);
  }
  Outcome vsetvl(unsigned rd, unsigned rs1, unsigned rs2) {
    return run(facts(InstructionId::vsetvl).match | rd << 7 | rs1 << 15 | rs2 << 20);
  }
};

TEST_F(VectorConfiguration, GivesTheSmallerOfTheLengthAskedForAndVlmax) {
  for (const Type& type : supported_types())
    for (const std::uint64_t asked : {std::uint64_t{1}, std::uint64_t{type.vlmax},
                                      std::uint64_t{type.vlmax} + 1, ~std::uint64_t{0}}) {
      hart.x[11] = asked;
      hart.vstart = 3;
      ASSERT_EQ(vsetvli(10, 11, bits_of(type.sew, type.lmul_log2)), Outcome::Next);
      EXPECT_EQ(hart.vl, std::min<std::uint64_t>(asked, type.vlmax));
      EXPECT_EQ(hart.x[10], hart.vl);
      EXPECT_EQ(hart.vstart, 0U);
      EXPECT_EQ(encode_vtype(hart.vtype), bits_of(type.sew, type.lmul_log2));
    }
}

TEST_F(VectorConfiguration, KeepsTheAgnosticPolicies) {
  hart.x[11] = 5;
  ASSERT_EQ(vsetvli(10, 11, bits_of(16, -1, true, false)), Outcome::Next);
  EXPECT_EQ(hart.vtype.tail_agnostic, 1);
  EXPECT_EQ(hart.vtype.mask_agnostic, 0);
  EXPECT_EQ(encode_vtype(hart.vtype), bits_of(16, -1, true, false));
  ASSERT_EQ(vsetvli(10, 11, bits_of(16, -1, false, true)), Outcome::Next);
  EXPECT_EQ(encode_vtype(hart.vtype), bits_of(16, -1, false, true));
}

TEST_F(VectorConfiguration, MakesEveryUnsupportedTypeIll) {
  const auto types = supported_types();
  for (std::uint64_t bits = 0; bits < 2048; ++bits) {
    const auto sew = 8U << (bits >> 3 & 7);
    const int lmul = static_cast<int>(bits & 7) - ((bits & 4) != 0 ? 8 : 0);
    const bool supported = bits < 256 && std::ranges::any_of(types, [&](const Type& type) {
                             return type.sew == sew && type.lmul_log2 == lmul;
                           });
    hart.x[11] = 1;
    hart.x[12] = bits;
    ASSERT_EQ(vsetvl(10, 11, 12), Outcome::Next);
    EXPECT_EQ(encode_vtype(hart.vtype), supported ? bits : kVtypeIll) << bits;
    EXPECT_EQ(hart.vl, supported ? 1U : 0U);
    ASSERT_EQ(vsetvli(10, 11, static_cast<std::uint32_t>(bits)), Outcome::Next);
    EXPECT_EQ(encode_vtype(hart.vtype), supported ? bits : kVtypeIll) << bits;
  }
}

TEST_F(VectorConfiguration, X0AsLengthAsksForVlmaxOrKeepsVl) {
  ASSERT_EQ(vsetvli(10, 0, bits_of(32, 1)), Outcome::Next);
  EXPECT_EQ(hart.vl, 32U);
  hart.x[11] = 7;
  ASSERT_EQ(vsetvli(0, 11, bits_of(32, 1)), Outcome::Next);
  EXPECT_EQ(hart.vl, 7U);
  EXPECT_EQ(hart.x[0], 0U);
  ASSERT_EQ(vsetvli(0, 0, bits_of(16, 0)), Outcome::Next);  // the same VLMAX
  EXPECT_EQ(hart.vl, 7U);
  EXPECT_EQ(encode_vtype(hart.vtype), bits_of(16, 0));
}

TEST_F(VectorConfiguration, KeepingVlIsIllWhereVlmaxChanges) {
  ASSERT_EQ(vsetvli(10, 0, bits_of(32, 1)), Outcome::Next);
  ASSERT_EQ(vsetvli(0, 0, bits_of(32, 2)), Outcome::Next);
  EXPECT_EQ(encode_vtype(hart.vtype), kVtypeIll);
  EXPECT_EQ(hart.vl, 0U);
  ASSERT_EQ(vsetvli(0, 0, bits_of(32, 2)), Outcome::Next);
  EXPECT_EQ(encode_vtype(hart.vtype), kVtypeIll) << "there is no length to keep after vill";
}

TEST_F(VectorConfiguration, TheImmediateFormTakesItsLengthFromTheEncoding) {
  hart.x[17] = 99;
  ASSERT_EQ(vsetivli(10, 17, bits_of(8, 0, true, true)), Outcome::Next);
  EXPECT_EQ(hart.vl, 17U);
  EXPECT_EQ(hart.x[10], 17U);
  ASSERT_EQ(vsetivli(10, 0, bits_of(8, 0)), Outcome::Next);
  EXPECT_EQ(hart.vl, 0U);
}

TEST_F(VectorConfiguration, SavingAndRestoringVtypeBringsTheTypeBack) {
  hart.x[11] = 9;
  ASSERT_EQ(vsetvli(10, 11, bits_of(64, 3, true, true)), Outcome::Next);
  hart.x[12] = encode_vtype(hart.vtype);
  ASSERT_EQ(vsetvli(13, 11, bits_of(8, -3)), Outcome::Next);
  ASSERT_EQ(vsetvl(0, 11, 12), Outcome::Next);
  EXPECT_EQ(encode_vtype(hart.vtype), bits_of(64, 3, true, true));
  hart.x[12] = kVtypeIll;
  ASSERT_EQ(vsetvl(0, 11, 12), Outcome::Next);
  EXPECT_EQ(encode_vtype(hart.vtype), kVtypeIll);
}

TEST_F(VectorConfiguration, TrapsWhileVsIsOffAndChangesNothing) {
  hart.mstatus &= ~kMstatusVs;
  hart.x[10] = 4;
  EXPECT_EQ(vsetvli(10, 0, bits_of(8, 0)), Outcome::Trap);
  EXPECT_EQ(vsetivli(10, 3, bits_of(8, 0)), Outcome::Trap);
  EXPECT_EQ(vsetvl(10, 11, 12), Outcome::Trap);
  EXPECT_EQ(hart.x[10], 4U);
}

}  // namespace
}  // namespace d1::isa::test
