// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <d1/isa/xd1_numerics.hpp>

#include "reference.hpp"

namespace d1::isa {
namespace {

using numerics::DenormalRule;
using numerics::Packed;
using numerics::PackedFormat;
using numerics::Rounding;

constexpr Packed kCfloat[] = {Packed::Cf143, Packed::Cf152, Packed::Shp, Packed::Uhp};
constexpr DenormalRule kRules[] = {DenormalRule::Paper, DenormalRule::Ieee};

reference::Format definition(PackedFormat format) {
  const bool ieee = format.denormals == DenormalRule::Ieee;
  switch (format.packed) {
    case Packed::Cf143:
      return reference::cf143(format.bias, ieee);
    case Packed::Cf152:
      return reference::cf152(format.bias, ieee);
    case Packed::Shp:
      return reference::shp(format.bias, ieee);
    case Packed::Uhp:
      return reference::uhp();
    case Packed::Bf16:
      return reference::bf16();
  }
  return reference::bf16();
}

PackedFormat make_format(Packed packed, DenormalRule rule, unsigned bias) {
  return {packed, rule, static_cast<std::uint8_t>(bias)};
}

bool is_byte(Packed packed) { return packed <= Packed::Cf152; }

// A packet of codes from values of any width, and back.
std::vector<std::uint8_t> pack(Packed packed, const std::vector<std::uint32_t>& codes) {
  std::vector<std::uint8_t> bytes(64);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto code = static_cast<std::uint16_t>(codes[i]);
    std::memcpy(&bytes[i * (is_byte(packed) ? 1 : 2)], &code, is_byte(packed) ? 1 : 2);
  }
  return bytes;
}

std::uint32_t code_at(Packed packed, const std::uint8_t* bytes, std::size_t i) {
  if (is_byte(packed)) return bytes[i];
  return bytes[2 * i] | static_cast<std::uint32_t>(bytes[2 * i + 1]) << 8;
}

std::vector<std::uint32_t> widen(PackedFormat format, const std::vector<std::uint32_t>& codes) {
  std::vector<std::uint32_t> result;
  const std::size_t lanes = numerics::elements_of(format.packed);
  for (std::size_t at = 0; at < codes.size(); at += lanes) {
    std::vector<std::uint32_t> part(lanes), wide(lanes);
    for (std::size_t i = 0; i < lanes && at + i < codes.size(); ++i) part[i] = codes[at + i];
    numerics::widen_to_f32(format, pack(format.packed, part).data(), wide.data());
    result.insert(result.end(), wide.begin(), wide.end());
  }
  result.resize(codes.size());
  return result;
}

std::vector<std::uint32_t> narrow(PackedFormat format, const std::vector<std::uint32_t>& values,
                                  Rounding rounding, std::uint64_t seed) {
  std::vector<std::uint32_t> result;
  const std::size_t lanes = numerics::elements_of(format.packed);
  for (std::size_t at = 0; at < values.size(); at += lanes) {
    std::vector<std::uint32_t> part(lanes);
    for (std::size_t i = 0; i < lanes && at + i < values.size(); ++i) part[i] = values[at + i];
    std::array<std::uint8_t, 64> bytes{};
    numerics::narrow_from_f32(format, part.data(), bytes.data(), rounding, seed);
    for (std::size_t i = 0; i < lanes; ++i)
      result.push_back(code_at(format.packed, bytes.data(), i));
  }
  result.resize(values.size());
  return result;
}

// Numbers at which a format decides: each value, each middle, and their neighbours; specials.
std::vector<std::uint32_t> telling_values(const std::vector<double>& magnitudes) {
  std::vector<std::uint32_t> values = {0,          1,          0x7fffff,   0x800000,  0x7f7fffff,
                                       0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff};
  for (std::size_t i = 0; i + 1 < magnitudes.size(); ++i) {
    for (const double value : {magnitudes[i], (magnitudes[i] + magnitudes[i + 1]) / 2}) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
      for (const std::uint32_t near : {bits - 1, bits, bits + 1})
        if (near < 0x7f800000) values.push_back(near);
    }
  }
  const std::size_t positive = values.size();
  for (std::size_t i = 0; i < positive; ++i) values.push_back(values[i] | 0x80000000);
  return values;
}

template <typename Function>
void for_each_setting(unsigned bias_step, Function function) {
  for (const Packed packed : kCfloat)
    for (const DenormalRule rule : kRules)
      for (unsigned bias = 0; bias < 64; bias += bias_step)
        function(make_format(packed, rule, bias));
}

std::string name_of(PackedFormat format) {
  return "format " + std::to_string(static_cast<int>(format.packed)) + " bias " +
         std::to_string(format.bias) +
         (format.denormals == DenormalRule::Ieee ? " ieee" : " paper");
}

// Each test runs on every level that the host has.
class Xd1Conversion : public testing::TestWithParam<numerics::Level> {
 protected:
  void SetUp() override {
    if (!numerics::select_numerics(GetParam())) GTEST_SKIP() << "this host lacks the level";
  }
  void TearDown() override { numerics::select_numerics(numerics::best_level()); }
};
INSTANTIATE_TEST_SUITE_P(Levels, Xd1Conversion,
                         testing::Values(numerics::Level::Portable, numerics::Level::Avx2,
                                         numerics::Level::Avx512),
                         [](const auto& level) {
                           return std::string(level.param == numerics::Level::Portable ? "Portable"
                                              : level.param == numerics::Level::Avx2   ? "Avx2"
                                                                                       : "Avx512");
                         });

TEST_P(Xd1Conversion, EveryCodeWidensToTheValueOfItsDefinitionWithEveryBias) {
  for_each_setting(1, [](PackedFormat format) {
    const auto exact = definition(format);
    std::vector<std::uint32_t> codes(is_byte(format.packed) ? 256 : 65536);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint32_t>(i);
    if (format.packed == Packed::Uhp && format.bias != 0) return;  // its bias is fixed
    if (format.packed == Packed::Shp && format.bias % 7 != 0) return;
    const auto wide = widen(format, codes);
    for (std::size_t i = 0; i < codes.size(); ++i)
      ASSERT_EQ(wide[i], reference::widen(exact, codes[i])) << name_of(format) << " code " << i;
  });
}

TEST_P(Xd1Conversion, TheRangesOfThePaperHold) {
  struct Row {
    Packed packed;
    std::uint8_t bias;
    float smallest_normal, largest;
  };
  const Row rows[] = {
      {Packed::Cf143, 0, 0x1p1f, 0x1.ep15f},     {Packed::Cf143, 31, 0x1p-30f, 0x1.ep-16f},
      {Packed::Cf143, 63, 0x1p-62f, 0x1.ep-48f}, {Packed::Cf152, 0, 0x1p1f, 0x1.cp31f},
      {Packed::Cf152, 31, 0x1p-30f, 0x1.cp0f},   {Packed::Cf152, 63, 0x1p-62f, 0x1.cp-32f}};
  for (const Row& row : rows) {
    const auto wide = widen(make_format(row.packed, DenormalRule::Paper, row.bias),
                            {row.packed == Packed::Cf143 ? 0x08u : 0x04u, 0x7f, 0xff});
    EXPECT_EQ(std::bit_cast<float>(wide[0]), row.smallest_normal);
    EXPECT_EQ(std::bit_cast<float>(wide[1]), row.largest);
    EXPECT_EQ(std::bit_cast<float>(wide[2]), -row.largest);
  }
}

TEST_P(Xd1Conversion, TheDenormalSwitchDoublesDenormalsAndNothingElse) {
  for (const Packed packed : {Packed::Cf143, Packed::Cf152, Packed::Shp}) {
    const std::uint32_t first_normal = packed == Packed::Cf143   ? 8
                                       : packed == Packed::Cf152 ? 4
                                                                 : 1024;
    for (std::uint32_t code = 1; code < 2 * first_normal; ++code) {
      const auto paper =
          std::bit_cast<float>(widen(make_format(packed, DenormalRule::Paper, 20), {code})[0]);
      const auto ieee =
          std::bit_cast<float>(widen(make_format(packed, DenormalRule::Ieee, 20), {code})[0]);
      EXPECT_EQ(ieee, code < first_normal ? 2 * paper : paper);
    }
  }
}

TEST_P(Xd1Conversion, NearestAgreesWithDistancesAtEveryValueMiddleAndNeighbour) {
  for_each_setting(1, [](PackedFormat format) {
    if (!is_byte(format.packed) && format.bias % 21 != 0) return;
    if (format.packed == Packed::Uhp && format.bias != 0) return;
    const reference::Narrower exact(definition(format));
    const auto values = telling_values(exact.magnitudes());
    const auto codes = narrow(format, values, Rounding::Nearest, 0);
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(codes[i], exact.nearest(values[i]))
          << name_of(format) << std::hex << " value 0x" << values[i];
  });
}

TEST_P(Xd1Conversion, EveryBf16NarrowsToItsNearestCode) {
  std::vector<std::uint32_t> values(65536);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint32_t>(i) << 16;
  for_each_setting(9, [&](PackedFormat format) {
    const reference::Narrower exact(definition(format));
    const std::size_t lanes = numerics::elements_of(format.packed);
    for (std::size_t at = 0; at < values.size(); at += lanes) {
      std::array<std::uint16_t, 64> source{};
      std::array<std::uint8_t, 64> bytes{};
      for (std::size_t i = 0; i < lanes; ++i) source[i] = static_cast<std::uint16_t>(at + i);
      numerics::narrow_from_bf16(format, source.data(), bytes.data(), Rounding::Nearest, 0);
      for (std::size_t i = 0; i < lanes; ++i)
        ASSERT_EQ(code_at(format.packed, bytes.data(), i), exact.nearest(values[at + i]))
            << name_of(format) << std::hex << " value 0x" << values[at + i];
    }
  });
}

TEST_P(Xd1Conversion, EveryCodeSurvivesTheWayToFp32AndBack) {
  for_each_setting(1, [](PackedFormat format) {
    if (!is_byte(format.packed)) return;
    std::vector<std::uint32_t> codes(256);
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint32_t>(i);
    for (const Rounding rounding : {Rounding::Nearest, Rounding::Stochastic})
      ASSERT_EQ(narrow(format, widen(format, codes), rounding, 99), codes) << name_of(format);
  });
}

TEST_P(Xd1Conversion, StochasticRoundingFollowsItsGeneratorToTheBit) {
  const std::uint64_t first_seed = 20260101;
  std::printf("seed %llu\n", static_cast<unsigned long long>(first_seed));
  std::mt19937_64 random(first_seed);
  for_each_setting(5, [&](PackedFormat format) {
    const reference::Narrower exact(definition(format));
    const unsigned lanes = numerics::elements_of(format.packed);
    for (int round = 0; round < 50; ++round) {
      const std::uint64_t seed = random();
      std::vector<std::uint32_t> values(lanes);
      for (std::uint32_t& value : values) {
        // Half anywhere, half near the format's own range.
        value = static_cast<std::uint32_t>(random());
        const auto place = static_cast<std::uint32_t>(127 + 20 - format.bias - random() % 40);
        if (random() % 2 == 0) value = (value & 0x807fffff) | place << 23;
      }
      const auto codes = narrow(format, values, Rounding::Stochastic, seed);
      for (unsigned i = 0; i < lanes; ++i)
        ASSERT_EQ(codes[i], exact.stochastic(values[i], reference::random_number(seed, i)))
            << name_of(format) << std::hex << " value 0x" << values[i] << " seed 0x" << seed;
    }
  });
}

TEST_P(Xd1Conversion, StochasticRoundingIsRightOnAverage) {
  // A third of the way from 1.0 to 1.125, and two fifths into the gap below the first normal
  // number.
  const PackedFormat format = make_format(Packed::Cf143, DenormalRule::Paper, 7);
  const float low = 0.875f * 0x1p-7f, high = 2 * 0x1p-7f;
  const float values[] = {1.0f + 0.125f / 3, low + (high - low) * 0.4f, -(1.0f + 0.125f / 3)};
  const double shares[] = {1.0 / 3, 0.4, 1.0 / 3};
  const std::uint32_t lower_codes[] = {0x38, 0x07, 0xb8};
  constexpr int kRounds = 4000;
  std::printf("seeds 0 and on\n");
  for (std::size_t which = 0; which < std::size(values); ++which) {
    const std::vector<std::uint32_t> lanes(64, std::bit_cast<std::uint32_t>(values[which]));
    std::array<int, 64> up_by_lane{};
    int up = 0;
    std::uint64_t seed = 0;
    for (int round = 0; round < kRounds; ++round, seed += numerics::kSeedStep) {
      const auto codes = narrow(format, lanes, Rounding::Stochastic, seed);
      for (std::size_t i = 0; i < 64; ++i) {
        ASSERT_TRUE(codes[i] == lower_codes[which] || codes[i] == lower_codes[which] + 1);
        up += codes[i] != lower_codes[which];
        up_by_lane[i] += codes[i] != lower_codes[which];
      }
    }
    const double p = shares[which];
    const auto within = [p](int count, double trials, double sigmas) {
      return std::abs(count - p * trials) < sigmas * std::sqrt(trials * p * (1 - p));
    };
    EXPECT_TRUE(within(up, 64.0 * kRounds, 4)) << up;
    for (const int lane : up_by_lane) EXPECT_TRUE(within(lane, kRounds, 5)) << lane;
  }
}

TEST_P(Xd1Conversion, Fp32RoundsToBf16WithoutOverflowAndKeepsDenormals) {
  const PackedFormat format = make_format(Packed::Bf16, DenormalRule::Paper, 0);
  const reference::Narrower exact(reference::bf16());
  std::printf("seed 7\n");
  std::mt19937_64 random(7);
  std::vector<std::uint32_t> values = telling_values(exact.magnitudes());
  for (int i = 0; i < 100000; ++i) values.push_back(static_cast<std::uint32_t>(random()));
  const auto nearest = narrow(format, values, Rounding::Nearest, 0);
  const auto stochastic = narrow(format, values, Rounding::Stochastic, 5);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(nearest[i], exact.nearest(values[i])) << std::hex << values[i];
    const auto number = reference::random_number(5, static_cast<unsigned>(i % 32));
    ASSERT_EQ(stochastic[i], exact.stochastic(values[i], number)) << std::hex << values[i];
  }
  EXPECT_EQ(narrow(format, {0x7f7fffff}, Rounding::Nearest, 0)[0], 0x7f7fu);
  EXPECT_EQ(narrow(format, {0x00010000}, Rounding::Nearest, 0)[0], 1u);
}

TEST_P(Xd1Conversion, CfloatToBf16IsTheRoundedValue) {
  const reference::Narrower exact(reference::bf16());
  for_each_setting(21, [&](PackedFormat format) {
    const unsigned lanes = numerics::elements_of(format.packed);
    const auto from = definition(format);
    for (std::uint32_t at = 0; at < (is_byte(format.packed) ? 256u : 65536u); at += lanes) {
      std::vector<std::uint32_t> codes(lanes);
      for (unsigned i = 0; i < lanes; ++i) codes[i] = at + i;
      std::array<std::uint16_t, 64> nearest{}, stochastic{};
      const auto packed = pack(format.packed, codes);
      numerics::widen_to_bf16(format, packed.data(), nearest.data(), Rounding::Nearest, 0);
      numerics::widen_to_bf16(format, packed.data(), stochastic.data(), Rounding::Stochastic, at);
      for (unsigned i = 0; i < lanes; ++i) {
        const std::uint32_t value = reference::widen(from, codes[i]);
        ASSERT_EQ(nearest[i], exact.nearest(value)) << name_of(format) << " code " << codes[i];
        const auto number = reference::random_number(at, i);
        ASSERT_EQ(stochastic[i], exact.stochastic(value, number)) << name_of(format);
      }
    }
  });
}

TEST_P(Xd1Conversion, NanAndInfinityClampWithTheirSignWhereTheFormatHasNeither) {
  const std::vector<std::uint32_t> values = {0x7fc00000, 0xffc00000, 0x7f800000, 0xff800000,
                                             0x7f800001};
  const auto of = [&](Packed packed) {
    return narrow(make_format(packed, DenormalRule::Paper, 7), values, Rounding::Nearest, 0);
  };
  using Codes = std::vector<std::uint32_t>;
  EXPECT_EQ(of(Packed::Cf143), (Codes{0x7f, 0xff, 0x7f, 0xff, 0x7f}));
  EXPECT_EQ(of(Packed::Shp), (Codes{0x7fff, 0xffff, 0x7fff, 0xffff, 0x7fff}));
  EXPECT_EQ(of(Packed::Uhp), (Codes{0xfe00, 0xfe00, 0xfc00, 0, 0xfe00}));
  EXPECT_EQ(of(Packed::Bf16), (Codes{0x7fc0, 0x7fc0, 0x7f80, 0xff80, 0x7fc0}));
}

}  // namespace
}  // namespace d1::isa
