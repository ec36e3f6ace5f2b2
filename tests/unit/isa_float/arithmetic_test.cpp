// SPDX-License-Identifier: Apache-2.0
// Arithmetic of F16, F32 and F64 against the reference: all rounding modes, all flags, by host
// instructions and by integer code.
#include <gtest/gtest.h>

#include <d1/isa/float_arithmetic.hpp>

#include "cases.hpp"

namespace d1::isa::float_test {
namespace {

template <typename F>
class FloatArithmetic : public ::testing::Test {};
using Formats = ::testing::Types<F16, F32, F64>;
TYPED_TEST_SUITE(FloatArithmetic, Formats);

template <typename F>
void check_binary(RoundingMode mode, BitsOf<F> a, BitsOf<F> b) {
  constexpr auto format = format_of<F>();
  const auto expect = [&](const char* name, reference::Result wanted, reference::Result host,
                          reference::Result integer) {
    EXPECT_EQ(host, wanted) << name << " by host, " << describe(mode, a, b);
    EXPECT_EQ(integer, wanted) << name << " in integers, " << describe(mode, a, b);
  };
  const reference::Mode m = mode_of(mode);
  expect("add", reference::add(format, m, a, b),
         run(mode, [&](auto& context) { return add<F>(context, a, b); }),
         run_in_integers(mode, [&](auto& context) { return integer_only::add<F>(context, a, b); }));
  expect("multiply", reference::multiply(format, m, a, b),
         run(mode, [&](auto& context) { return multiply<F>(context, a, b); }),
         run_in_integers(mode,
                         [&](auto& context) { return integer_only::multiply<F>(context, a, b); }));
  expect(
      "divide", reference::divide(format, m, a, b),
      run(mode, [&](auto& context) { return divide<F>(context, a, b); }),
      run_in_integers(mode, [&](auto& context) { return integer_only::divide<F>(context, a, b); }));
  const auto minus_b = negate<F>(b);
  EXPECT_EQ(run(mode, [&](auto& context) { return subtract<F>(context, a, b); }),
            reference::add(format, m, a, minus_b))
      << "subtract, " << describe(mode, a, b);
}

template <typename F>
void check_fused(RoundingMode mode, BitsOf<F> a, BitsOf<F> b, BitsOf<F> c) {
  const reference::Result wanted = reference::multiply_add(format_of<F>(), mode_of(mode), a, b, c);
  EXPECT_EQ(run(mode, [&](auto& context) { return multiply_add<F>(context, a, b, c); }), wanted)
      << "by host, " << describe(mode, a, b, c);
  EXPECT_EQ(
      run_in_integers(
          mode, [&](auto& context) { return integer_only::multiply_add<F>(context, a, b, c); }),
      wanted)
      << "in integers, " << describe(mode, a, b, c);
}

template <typename F>
void check_root(RoundingMode mode, BitsOf<F> a) {
  const reference::Result wanted = reference::square_root(format_of<F>(), mode_of(mode), a);
  EXPECT_EQ(run(mode, [&](auto& context) { return square_root<F>(context, a); }), wanted)
      << "by host, " << describe(mode, a);
  EXPECT_EQ(run_in_integers(
                mode, [&](auto& context) { return integer_only::square_root<F>(context, a); }),
            wanted)
      << "in integers, " << describe(mode, a);
}

TYPED_TEST(FloatArithmetic, BinaryOperationsAgreeOnEveryPairOfEdgeValues) {
  const auto values = edge_values<TypeParam>();
  for (const RoundingMode mode : kModes)
    for (const auto a : values)
      for (const auto b : values) check_binary<TypeParam>(mode, a, b);
}

TYPED_TEST(FloatArithmetic, FusedMultiplyAddAgreesOnEveryTripleOfEdgeValues) {
  const auto values = edge_values<TypeParam>();
  for (const RoundingMode mode : kModes)
    for (const auto a : values)
      for (const auto b : values)
        for (const auto c : values) {
          if (sign_of<TypeParam>(a)) continue;  // b brings in the other sign of the product
          check_fused<TypeParam>(mode, a, b, c);
          if (::testing::Test::HasFailure()) return;
        }
}

TYPED_TEST(FloatArithmetic, RandomOperandsGiveTheReferencesBitsAndFlags) {
  std::mt19937_64 generator(kSeed);
  constexpr int kCases = detail::is_half<TypeParam> ? 300'000 : 60'000;
  for (int i = 0; i < kCases; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    const auto a = random_value<TypeParam>(generator);
    const auto b = random_value<TypeParam>(generator);
    const auto c = random_value<TypeParam>(generator);
    check_binary<TypeParam>(mode, a, b);
    check_fused<TypeParam>(mode, a, b, c);
    check_root<TypeParam>(mode, a);
    ASSERT_FALSE(this->HasFailure()) << "seed " << kSeed << ", case " << i;
  }
}

// Sums that nearly cancel, and products that nearly meet the addend: where a lost bit shows.
TYPED_TEST(FloatArithmetic, FusedMultiplyAddIsExactWhereTheProductNearlyCancels) {
  std::mt19937_64 generator(kSeed + 1);
  for (int i = 0; i < 60'000; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    const auto a = random_value<TypeParam>(generator);
    const auto b = random_value<TypeParam>(generator);
    FloatContext nearest;
    const auto product = integer_only::multiply<TypeParam>(nearest, a, b);
    const auto near = static_cast<BitsOf<TypeParam>>(product + generator() % 5 - 2);
    check_fused<TypeParam>(mode, a, b, negate<TypeParam>(near));
    ASSERT_FALSE(this->HasFailure()) << "seed " << kSeed + 1 << ", case " << i;
  }
}

TYPED_TEST(FloatArithmetic, TheFourFusedFormsDifferOnlyInTheSignsOfTheirOperands) {
  using F = TypeParam;
  std::mt19937_64 generator(kSeed + 2);
  for (int i = 0; i < 5'000; ++i) {
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    const auto a = random_value<F>(generator);
    const auto b = random_value<F>(generator);
    const auto c = random_value<F>(generator);
    constexpr auto format = format_of<F>();
    const reference::Mode m = mode_of(mode);
    EXPECT_EQ(run(mode, [&](auto& x) { return multiply_subtract<F>(x, a, b, c); }),
              reference::multiply_add(format, m, a, b, negate<F>(c)));
    EXPECT_EQ(run(mode, [&](auto& x) { return negated_multiply_subtract<F>(x, a, b, c); }),
              reference::multiply_add(format, m, negate<F>(a), b, c));
    EXPECT_EQ(run(mode, [&](auto& x) { return negated_multiply_add<F>(x, a, b, c); }),
              reference::multiply_add(format, m, negate<F>(a), b, negate<F>(c)));
    ASSERT_FALSE(this->HasFailure()) << "seed " << kSeed + 2 << ", case " << i;
  }
}

TYPED_TEST(FloatArithmetic, ComparisonsAndExtremaAgreeOnEdgeAndRandomPairs) {
  using F = TypeParam;
  constexpr auto format = format_of<F>();
  const auto check = [&](BitsOf<F> a, BitsOf<F> b) {
    const RoundingMode any = RoundingMode::Rne;
    const std::string what = describe(any, a, b);
    const auto in = [&](auto body) { return run_in_integers(any, body); };
    EXPECT_EQ(in([&](auto& x) { return minimum<F>(x, a, b); }), reference::minimum(format, a, b))
        << what;
    EXPECT_EQ(in([&](auto& x) { return maximum<F>(x, a, b); }), reference::maximum(format, a, b))
        << what;
    EXPECT_EQ(in([&](auto& x) { return equal<F>(x, a, b); }), reference::equal(format, a, b))
        << what;
    EXPECT_EQ(in([&](auto& x) { return less<F>(x, a, b); }), reference::less(format, a, b)) << what;
    EXPECT_EQ(in([&](auto& x) { return less_equal<F>(x, a, b); }),
              reference::less_equal(format, a, b))
        << what;
  };
  const auto values = edge_values<F>();
  for (const auto a : values)
    for (const auto b : values) check(a, b);
  std::mt19937_64 generator(kSeed + 3);
  for (int i = 0; i < 50'000; ++i) check(random_value<F>(generator), random_value<F>(generator));
}

TEST(HalfArithmetic, SquareRootsAgreeForEveryOperandAndRoundingMode) {
  for (const RoundingMode mode : kModes)
    for (unsigned a = 0; a <= 0xffff; ++a) {
      check_root<F16>(mode, static_cast<std::uint16_t>(a));
      if (::testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace d1::isa::float_test
