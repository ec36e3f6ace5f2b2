// SPDX-License-Identifier: Apache-2.0
// Conversions between formats and integers against the reference, and the 7-bit estimates.
#include <gtest/gtest.h>

#include <cmath>

#include <d1/isa/float_convert.hpp>

#include "cases.hpp"

namespace d1::isa::float_test {
namespace {

template <typename I, typename F>
void check_to_integer(RoundingMode mode, BitsOf<F> a) {
  using Unsigned = std::make_unsigned_t<I>;
  EXPECT_EQ(
      run_in_integers(mode, [&](auto& x) { return static_cast<Unsigned>(to_integer<I, F>(x, a)); }),
      reference::to_integer(format_of<F>(), mode_of(mode), a, 8 * sizeof(I), std::is_signed_v<I>))
      << 8 * sizeof(I) << " bits, " << describe(mode, a);
}
template <typename F>
void check_to_integers(RoundingMode mode, BitsOf<F> a) {
  check_to_integer<std::int8_t, F>(mode, a);
  check_to_integer<std::uint8_t, F>(mode, a);
  check_to_integer<std::int16_t, F>(mode, a);
  check_to_integer<std::uint16_t, F>(mode, a);
  check_to_integer<std::int32_t, F>(mode, a);
  check_to_integer<std::uint32_t, F>(mode, a);
  check_to_integer<std::int64_t, F>(mode, a);
  check_to_integer<std::uint64_t, F>(mode, a);
}
template <typename To, typename From>
void check_convert(RoundingMode mode, BitsOf<From> a) {
  EXPECT_EQ(run(mode, [&](auto& x) { return convert<To, From>(x, a); }),
            reference::convert(format_of<To>(), format_of<From>(), mode_of(mode), a))
      << describe(mode, a);
}
template <typename To, typename From>
void check_round_to_odd(BitsOf<From> a) {
  EXPECT_EQ(run(RoundingMode::Rne, [&](auto& x) { return convert<To, From>(x, a, Rounding::Odd); }),
            reference::convert(format_of<To>(), format_of<From>(), reference::Mode::Odd, a))
      << describe(RoundingMode::Rne, a);
}

TEST(FloatConversion, EveryHalfConvertsToIntegersInEveryRoundingMode) {
  for (const RoundingMode mode : kModes)
    for (unsigned a = 0; a <= 0xffff; ++a) {
      check_to_integers<F16>(mode, static_cast<std::uint16_t>(a));
      if (::testing::Test::HasFailure()) return;
    }
}

TEST(FloatConversion, EveryHalfAndBrainFloatWidensExactly) {
  for (unsigned a = 0; a <= 0xffff; ++a) {
    check_convert<F32, F16>(RoundingMode::Rne, static_cast<std::uint16_t>(a));
    check_convert<F64, F16>(RoundingMode::Rmm, static_cast<std::uint16_t>(a));
    check_convert<F32, BF16>(RoundingMode::Rup, static_cast<std::uint16_t>(a));
  }
}

// Values around those of the narrow format: on its points, at the ties between, just beside.
template <typename To, typename From>
void check_narrowing() {
  std::mt19937_64 generator(kSeed + 4);
  constexpr unsigned kExtra = From::kFractionBits - To::kFractionBits;
  for (int i = 0; i < 200'000; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    BitsOf<From> a = random_value<From>(generator);
    if (i % 2 == 0) {
      FloatContext context;
      const auto point = convert<From, To>(context, random_value<To>(generator));
      const auto half = BitsOf<From>{1} << (kExtra - 1);
      a = static_cast<BitsOf<From>>(point + (generator() % 3) * half + generator() % 3 - 1);
    }
    check_convert<To, From>(mode, a);
    check_round_to_odd<To, From>(a);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << kSeed + 4 << ", case " << i;
  }
}
TEST(FloatConversion, DoublesNarrowToSinglesAsTheModeSaysAndToOdd) {
  std::mt19937_64 generator(kSeed + 5);
  for (int i = 0; i < 200'000; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    std::uint64_t a = random_value<F64>(generator);
    if (i % 2 == 0) {
      const auto point = detail::widen_exactly<F64, F32>(random_value<F32>(generator));
      a = point + (generator() % 3) * (std::uint64_t{1} << 28) + generator() % 3 - 1;
    }
    check_convert<F32, F64>(mode, a);
    check_round_to_odd<F32, F64>(a);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << kSeed + 5 << ", case " << i;
  }
}
TEST(FloatConversion, SinglesNarrowToHalvesAsTheModeSaysAndToOdd) { check_narrowing<F16, F32>(); }
TEST(FloatConversion, DoublesNarrowToHalvesInOneRounding) { check_narrowing<F16, F64>(); }
TEST(FloatConversion, SinglesNarrowToBrainFloatsAsTheModeSaysAndToOdd) {
  check_narrowing<BF16, F32>();
}

TEST(FloatConversion, SinglesWidenToDoublesWithTheFlagOfSignalingNans) {
  std::mt19937_64 generator(kSeed + 6);
  for (int i = 0; i < 20'000; ++i)
    check_convert<F64, F32>(kModes[generator() % std::size(kModes)], random_value<F32>(generator));
}

template <typename F>
void check_near_integer_limits() {
  std::mt19937_64 generator(kSeed + 7);
  for (int i = 0; i < 60'000; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    auto a = random_value<F>(generator);
    if (i % 2 == 0) {  // beside 2^7, 2^8, ... 2^64, where each width ends
      const unsigned power = 8u << generator() % 4;
      const auto field = static_cast<std::uint64_t>(F::kBias) + power - generator() % 2;
      a = static_cast<BitsOf<F>>((field << F::kFractionBits) + generator() % 5 - 2);
      if (generator() % 2) a = negate<F>(a);
    }
    check_to_integers<F>(mode, a);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << kSeed + 7 << ", case " << i;
  }
}
TEST(FloatConversion, SinglesConvertToIntegersAndSaturateAtTheirLimits) {
  check_near_integer_limits<F32>();
}
TEST(FloatConversion, DoublesConvertToIntegersAndSaturateAtTheirLimits) {
  check_near_integer_limits<F64>();
}

template <typename F, typename I>
void check_from_integer() {
  std::mt19937_64 generator(kSeed + 8);
  for (int i = 0; i < 30'000; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    std::uint64_t bits = generator() >> generator() % 64;
    if (i % 4 == 0) bits = (std::uint64_t{1} << generator() % 64) + generator() % 3 - 1;
    if (generator() % 2) bits = ~bits;
    const auto value = static_cast<I>(bits);
    const mpz_class exact = std::is_signed_v<I> ? mpz_class{static_cast<long>(value)}
                                                : mpz_class{static_cast<unsigned long>(value)};
    EXPECT_EQ(run_in_integers(mode, [&](auto& x) { return from_integer<F, I>(x, value); }),
              reference::from_integer(format_of<F>(), mode_of(mode), exact))
        << describe(mode, bits);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << kSeed + 8 << ", case " << i;
  }
}
template <typename F>
class FromInteger : public ::testing::Test {};
using Formats = ::testing::Types<F16, F32, F64>;
TYPED_TEST_SUITE(FromInteger, Formats);
TYPED_TEST(FromInteger, RoundsAsTheModeSaysFromEveryWidth) {
  check_from_integer<TypeParam, std::int8_t>();
  check_from_integer<TypeParam, std::uint8_t>();
  check_from_integer<TypeParam, std::int16_t>();
  check_from_integer<TypeParam, std::uint16_t>();
  check_from_integer<TypeParam, std::int32_t>();
  check_from_integer<TypeParam, std::uint32_t>();
  check_from_integer<TypeParam, std::int64_t>();
  check_from_integer<TypeParam, std::uint64_t>();
}

[[nodiscard]] double half_to_double(std::uint16_t a) {
  return std::bit_cast<double>(detail::widen_exactly<F64, F16>(a));
}

TEST(FloatEstimate, ReciprocalsOfEveryHalfAreWithinSevenBits) {
  for (unsigned bits = 1; bits < F16::kInfinity; ++bits) {
    const auto a = static_cast<std::uint16_t>(bits);
    FloatContext context;
    const std::uint16_t estimate = reciprocal_estimate<F16>(context, a);
    if (bits < 0x100) {  // below 2^-16 the reciprocal has no place in the format
      EXPECT_EQ(estimate, F16::kInfinity) << bits;
      EXPECT_EQ(context.flags, kOf | kNx) << bits;
      continue;
    }
    EXPECT_EQ(context.flags, 0) << bits;
    const double exact = 1 / half_to_double(a);
    const double tolerance = std::max(exact / 128, half_to_double(1));  // subnormal results
    EXPECT_NEAR(half_to_double(estimate), exact, tolerance) << bits;
    EXPECT_EQ(reciprocal_estimate<F16>(context, negate<F16>(a)), negate<F16>(estimate));
  }
}

TEST(FloatEstimate, ReciprocalRootsOfEveryHalfAreWithinSevenBits) {
  for (unsigned bits = 1; bits < F16::kInfinity; ++bits) {
    FloatContext context;
    const std::uint16_t estimate =
        reciprocal_root_estimate<F16>(context, static_cast<std::uint16_t>(bits));
    const double exact = 1 / std::sqrt(half_to_double(static_cast<std::uint16_t>(bits)));
    EXPECT_NEAR(half_to_double(estimate), exact, exact / 128) << bits;
    EXPECT_EQ(context.flags, 0);
  }
}

// Examples that the vector specification gives, 1.0 section 13.9 and 13.10.
TEST(FloatEstimate, GivesTheSpecificationsExamples) {
  FloatContext context;
  EXPECT_EQ(reciprocal_root_estimate<F32>(context, 0x00718abc), 0x5f080000u);
  EXPECT_EQ(reciprocal_root_estimate<F32>(context, 0x7f765432), 0x1f820000u);
  EXPECT_EQ(reciprocal_estimate<F32>(context, 0x00718abc), 0x7e900000u);
  EXPECT_EQ(reciprocal_estimate<F32>(context, 0x7f765432), 0x00214000u);
  EXPECT_EQ(context.flags, 0);
}

TEST(FloatEstimate, SpecialOperandsGiveTheSpecialResultsAndFlags) {
  const auto reciprocal = [](std::uint64_t a, RoundingMode mode = RoundingMode::Rne) {
    return run_in_integers(mode, [&](auto& x) { return reciprocal_estimate<F64>(x, a); });
  };
  const auto root = [](std::uint64_t a) {
    return run_in_integers(RoundingMode::Rne,
                           [&](auto& x) { return reciprocal_root_estimate<F64>(x, a); });
  };
  using R = reference::Result;
  constexpr std::uint64_t kSign = F64::kSign;
  constexpr std::uint64_t kInfinity = F64::kInfinity;
  EXPECT_EQ(reciprocal(0), (R{kInfinity, kDz}));
  EXPECT_EQ(reciprocal(kSign), (R{kInfinity | kSign, kDz}));
  EXPECT_EQ(reciprocal(kInfinity | kSign), (R{kSign, 0}));
  EXPECT_EQ(reciprocal(F64::kNan | kSign), (R{F64::kNan, 0}));
  EXPECT_EQ(reciprocal(kInfinity + 1), (R{F64::kNan, kNv}));
  EXPECT_EQ(reciprocal(1, RoundingMode::Rdn), (R{F64::kLargest, kOf | kNx}));
  EXPECT_EQ(reciprocal(1 | kSign, RoundingMode::Rdn), (R{kInfinity | kSign, kOf | kNx}));
  EXPECT_EQ(reciprocal(1 | kSign, RoundingMode::Rup), (R{F64::kLargest | kSign, kOf | kNx}));
  EXPECT_EQ(root(0), (R{kInfinity, kDz}));
  EXPECT_EQ(root(kSign), (R{kInfinity | kSign, kDz}));
  EXPECT_EQ(root(kInfinity), (R{0, 0}));
  EXPECT_EQ(root(kSign | 1), (R{F64::kNan, kNv}));
  EXPECT_EQ(root(kSign | kInfinity), (R{F64::kNan, kNv}));
  EXPECT_EQ(root(kInfinity + 1), (R{F64::kNan, kNv}));
  EXPECT_EQ(root(F64::kNan), (R{F64::kNan, 0}));
}

}  // namespace
}  // namespace d1::isa::float_test
