// SPDX-License-Identifier: Apache-2.0
// Zba, Zbb and Zbs: edges by hand, and every instruction against a bit-by-bit definition.
#include <functional>
#include <random>

#include "hart_fixture.hpp"

namespace d1::isa::test {
namespace {

using Bitmanip = HartFixture;
using enum InstructionId;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};
constexpr std::uint64_t kSeed = 0xb175;

TEST_F(Bitmanip, CountsOfZeroAreTheWidth) {
  EXPECT_EQ(result(clz, 0), 64u);
  EXPECT_EQ(result(ctz, 0), 64u);
  EXPECT_EQ(result(clzw, kOnes << 32), 32u);
  EXPECT_EQ(result(ctzw, kOnes << 32), 32u);
  EXPECT_EQ(result(cpopw, kOnes << 31), 1u);
  EXPECT_EQ(result(clz, 1), 63u);
  EXPECT_EQ(result(cpop, kOnes), 64u);
}

TEST_F(Bitmanip, RotationsByZeroAndByMoreThanTheWidthKeepAllBits) {
  EXPECT_EQ(result(rol, 0x8000000000000001, 0), 0x8000000000000001u);
  EXPECT_EQ(result(rol, 0x8000000000000001, 65), 3u);
  EXPECT_EQ(result(ror, 1, 1), std::uint64_t{1} << 63);
  EXPECT_EQ(result(rolw, 0x40000000, 1), 0xffffffff80000000u);
  EXPECT_EQ(result(rorw, 1, 33), 0xffffffff80000000u);
  EXPECT_EQ(immediate_result(rori, 1, 63), 2u);
  EXPECT_EQ(immediate_result(roriw, 0x80000000, 0), 0xffffffff80000000u);
}

TEST_F(Bitmanip, ShiftedAdditionsOfUnsignedWordsDropTheUpperHalfFirst) {
  EXPECT_EQ(result(add_uw, kOnes, 1), std::uint64_t{1} << 32);
  EXPECT_EQ(result(sh3add_uw, kOnes, 0), std::uint64_t{0xffffffff} << 3);
  EXPECT_EQ(result(sh3add, kOnes, 0), kOnes << 3);
  EXPECT_EQ(immediate_result(slli_uw, kOnes, 63), std::uint64_t{1} << 63);
}

TEST_F(Bitmanip, MinimumAndMaximumCompareBySign) {
  EXPECT_EQ(result(min, kOnes, 1), kOnes);
  EXPECT_EQ(result(minu, kOnes, 1), 1u);
  EXPECT_EQ(result(max, kOnes, 1), 1u);
  EXPECT_EQ(result(maxu, kOnes, 1), kOnes);
}

TEST_F(Bitmanip, ExtensionsTakeTheirLowBitsAlone) {
  EXPECT_EQ(result(sext_b, 0x180), 0xffffffffffffff80u);
  EXPECT_EQ(result(sext_h, 0x18000), 0xffffffffffff8000u);
  EXPECT_EQ(result(zext_h, kOnes), 0xffffu);
}

// A definition in plain loops over bits and bytes, for every value.
std::uint64_t by_bits(const std::function<bool(unsigned)>& bit) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 64; ++i)
    if (bit(i)) value |= std::uint64_t{1} << i;
  return value;
}
bool bit_of(std::uint64_t value, unsigned index) { return value >> index & 1; }

TEST_F(Bitmanip, RandomValuesGiveWhatTheDefinitionBitByBitGives) {
  std::mt19937_64 random{kSeed};
  for (unsigned round = 0; round < 2000; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << kSeed << " round " << round);
    // Many zero bytes and runs, which is where byte and count operations differ.
    const std::uint64_t a = random() & random() & (kOnes >> (random() % 64));
    const std::uint64_t b = random();
    const unsigned n = b & 63;
    EXPECT_EQ(result(andn, a, b),
              by_bits([&](unsigned i) { return bit_of(a, i) && !bit_of(b, i); }));
    EXPECT_EQ(result(orn, a, b),
              by_bits([&](unsigned i) { return bit_of(a, i) || !bit_of(b, i); }));
    EXPECT_EQ(result(xnor, a, b),
              by_bits([&](unsigned i) { return bit_of(a, i) == bit_of(b, i); }));
    EXPECT_EQ(result(rol, a, b), by_bits([&](unsigned i) { return bit_of(a, (i - n) & 63); }));
    EXPECT_EQ(result(ror, a, b), by_bits([&](unsigned i) { return bit_of(a, (i + n) & 63); }));
    EXPECT_EQ(result(orc_b, a), by_bits([&](unsigned i) { return (a >> (i & 56) & 0xff) != 0; }));
    EXPECT_EQ(result(rev8, a),
              by_bits([&](unsigned i) { return bit_of(a, (56 - (i & 56)) | (i & 7)); }));
    EXPECT_EQ(result(bclr, a, b), by_bits([&](unsigned i) { return bit_of(a, i) && i != n; }));
    EXPECT_EQ(result(bset, a, b), by_bits([&](unsigned i) { return bit_of(a, i) || i == n; }));
    EXPECT_EQ(result(binv, a, b), by_bits([&](unsigned i) { return bit_of(a, i) != (i == n); }));
    EXPECT_EQ(result(bext, a, b), std::uint64_t{bit_of(a, n)});
    const auto immediate = static_cast<std::int32_t>(n);
    EXPECT_EQ(immediate_result(bclri, a, immediate), result(bclr, a, b));
    EXPECT_EQ(immediate_result(bseti, a, immediate), result(bset, a, b));
    EXPECT_EQ(immediate_result(binvi, a, immediate), result(binv, a, b));
    EXPECT_EQ(immediate_result(bexti, a, immediate), result(bext, a, b));
  }
}

}  // namespace
}  // namespace d1::isa::test
