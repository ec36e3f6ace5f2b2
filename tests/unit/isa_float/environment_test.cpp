// SPDX-License-Identifier: Apache-2.0
// Who owns MXCSR when, and where flags are at each moment.
#include <gtest/gtest.h>

#include <d1/isa/float_arithmetic.hpp>

namespace d1::isa::float_test {
namespace {

constexpr std::uint32_t kOne = 0x3f800000;
constexpr std::uint32_t kThree = 0x40400000;
constexpr std::uint32_t kThird = 0x3eaaaaab;       // to nearest
constexpr std::uint32_t kThirdBelow = 0x3eaaaaaa;  // towards zero
constexpr auto kNearest = static_cast<unsigned>(RoundingMode::Rne);
constexpr auto kZero = static_cast<unsigned>(RoundingMode::Rtz);
constexpr auto kAway = static_cast<unsigned>(RoundingMode::Rmm);

std::uint32_t third(Hart& hart, unsigned rm) {
  FloatScope scope(hart, rm);
  return divide<F32>(scope, kOne, kThree);
}

class FloatEnvironment : public ::testing::Test {
 protected:
  void SetUp() override { before_ = detail::read_mxcsr(); }
  void TearDown() override {
    EXPECT_EQ(detail::read_mxcsr(), before_) << "the host's MXCSR was not put back";
    detail::write_mxcsr(before_);
  }

  Hart hart_{};
  std::uint32_t before_ = 0;
};

TEST_F(FloatEnvironment, AnOperationOutsideOfATurnLeavesItsFlagsAndTheHostsState) {
  EXPECT_EQ(third(hart_, kZero), kThirdBelow);
  EXPECT_EQ(detail::read_mxcsr(), before_);
  EXPECT_EQ(hart_.fflags, kNx);
}

TEST_F(FloatEnvironment, TheHostsFlagsDoNotReachTheGuest) {
  detail::write_mxcsr(before_ | detail::kMxcsrSticky);
  {
    FloatScope scope(hart_, kNearest);
    EXPECT_EQ(add<F32>(scope, kOne, kOne), 0x40000000u);
  }
  EXPECT_EQ(hart_.fflags, 0);
  EXPECT_EQ(detail::read_mxcsr(), before_ | detail::kMxcsrSticky);
  detail::write_mxcsr(before_);
}

TEST_F(FloatEnvironment, FlagsOfATurnAreCompleteOnceCollected) {
  enter_guest_float(hart_);
  EXPECT_EQ(third(hart_, kNearest), kThird);
  collect_float_flags(hart_);
  EXPECT_EQ(hart_.fflags, kNx);
  hart_.fflags = 0;  // as csrw fflags does
  collect_float_flags(hart_);
  EXPECT_EQ(hart_.fflags, 0) << "a flag collected once came back";
  {
    FloatScope scope(hart_, kNearest);
    EXPECT_EQ(divide<F32>(scope, kOne, 0), F32::kInfinity);
  }
  leave_guest_float(hart_);
  EXPECT_EQ(hart_.fflags, kDz);
}

TEST_F(FloatEnvironment, EveryOperationOfATurnRoundsAsItAsks) {
  enter_guest_float(hart_);
  hart_.frm = static_cast<std::uint8_t>(kZero);
  EXPECT_EQ(third(hart_, kDynamic), kThirdBelow);
  EXPECT_EQ(third(hart_, kNearest), kThird);
  EXPECT_EQ(third(hart_, kDynamic), kThirdBelow);
  hart_.frm = static_cast<std::uint8_t>(kNearest);
  EXPECT_EQ(third(hart_, kDynamic), kThird) << "a write to frm needs no further call";
  EXPECT_EQ(third(hart_, kAway), kThird);
  leave_guest_float(hart_);
  EXPECT_EQ(hart_.fflags, kNx);
}

TEST_F(FloatEnvironment, ChangingTheRoundingKeepsTheFlagsRaisedBefore) {
  enter_guest_float(hart_);
  {
    FloatScope scope(hart_, kNearest);
    EXPECT_EQ(divide<F32>(scope, kOne, 0), F32::kInfinity);
  }
  EXPECT_EQ(third(hart_, kZero), kThirdBelow);
  leave_guest_float(hart_);
  EXPECT_EQ(hart_.fflags, kDz | kNx);
}

TEST_F(FloatEnvironment, ATurnWithoutFloatingPointNeverTouchesTheHostsState) {
  enter_guest_float(hart_);
  EXPECT_EQ(hart_.float_rounding, 0);
  leave_guest_float(hart_);
  EXPECT_EQ(hart_.fflags, 0);
}

TEST_F(FloatEnvironment, SubnormalsAreKeptThoughTheHostFlushesThem) {
  constexpr std::uint32_t kFlush = 0x8040;  // FTZ and DAZ
  detail::write_mxcsr(before_ | kFlush);
  {
    FloatScope scope(hart_, kNearest);
    EXPECT_EQ(add<F32>(scope, 1, 1), 2u);
  }
  EXPECT_EQ(detail::read_mxcsr(), before_ | kFlush);
  detail::write_mxcsr(before_);
}

TEST_F(FloatEnvironment, ReservedRoundingModesAreInvalid) {
  for (const unsigned rm : {5u, 6u}) {
    EXPECT_FALSE(FloatScope(hart_, rm).valid()) << rm;
    hart_.frm = static_cast<std::uint8_t>(rm);
    EXPECT_FALSE(FloatScope(hart_, kDynamic).valid()) << rm;
    EXPECT_TRUE(FloatScope(hart_, kNearest).valid()) << "a static mode does not look at frm";
  }
  hart_.frm = static_cast<std::uint8_t>(kDynamic);
  EXPECT_FALSE(FloatScope(hart_, kDynamic).valid());
}

}  // namespace
}  // namespace d1::isa::float_test
