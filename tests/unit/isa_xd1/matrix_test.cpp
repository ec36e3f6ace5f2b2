// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <d1/isa/xd1_numerics.hpp>

#include "reference.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace d1::isa {
namespace {

using numerics::DenormalRule;
using numerics::Level;
using numerics::Packed;
using numerics::PackedFormat;

enum class Product { Bf16, F16, Cf8, Cf16 };
constexpr Product kProducts[] = {Product::Bf16, Product::F16, Product::Cf8, Product::Cf16};

struct Case {
  std::array<std::uint32_t, 64> c;
  std::array<std::uint8_t, 64> a, b;
  PackedFormat a_format, b_format;
};

using Random = std::mt19937_64;

// FP32 that is often zero, denormal, just above denormal, huge, infinite or NaN.
std::uint32_t special_f32(Random& random) {
  static constexpr std::uint32_t kSpecial[] = {0,          1,          0x007fffff, 0x00800000,
                                               0x00800001, 0x00ffffff, 0x3f800000, 0x7f7fffff,
                                               0x7f800000, 0x7fc00001, 0x7f800001, 0x3f800001};
  const auto sign = static_cast<std::uint32_t>(random() << 31);
  switch (random() % 8) {
    case 0:
      return sign | kSpecial[random() % std::size(kSpecial)];
    case 1:
      return sign | static_cast<std::uint32_t>(random() & 0x01ffffff);
    case 2:
      return static_cast<std::uint32_t>(random());
    default:
      return sign | static_cast<std::uint32_t>(0x30000000 + random() % 0x20000000);
  }
}

Case random_case(Product product, Random& random) {
  Case result{};
  for (auto& value : result.c) value = special_f32(random);
  const bool calm = random() % 4 != 0;  // most without Inf and NaN, which hide all else
  for (auto* operand : {&result.a, &result.b}) {
    for (std::size_t i = 0; i < 64; i += 2) {
      auto code = static_cast<std::uint16_t>(random());
      if (product == Product::Bf16) {
        const auto f32 = special_f32(random);
        code = static_cast<std::uint16_t>(f32 >> 16);
        if (random() % 4 == 0) code = static_cast<std::uint16_t>(random() & 0x9fff);  // tiny ones
        if (calm && (code & 0x7f80) == 0x7f80) code = static_cast<std::uint16_t>(code & 0xbfff);
      } else if (product == Product::F16 && calm && (code & 0x7c00) == 0x7c00) {
        code = static_cast<std::uint16_t>(code & 0xbbff);
      }
      std::memcpy(operand->data() + i, &code, sizeof code);
    }
  }
  const auto format = [&] {
    const bool second = random() % 2 != 0;
    const Packed packed = product == Product::Cf16 ? second ? Packed::Uhp : Packed::Shp
                          : second                 ? Packed::Cf152
                                                   : Packed::Cf143;
    return PackedFormat{packed, random() % 2 != 0 ? DenormalRule::Ieee : DenormalRule::Paper,
                        static_cast<std::uint8_t>(random() % 64)};
  };
  result.a_format = format();
  result.b_format = format();
  result.b_format.denormals = result.a_format.denormals;
  return result;
}

void run(Product product, const Case& in, void* c) {
  switch (product) {
    case Product::Bf16:
      return numerics::mma_bf16(c, in.a.data(), in.b.data());
    case Product::F16:
      return numerics::mma_f16(c, in.a.data(), in.b.data());
    case Product::Cf8:
      return numerics::mma_cf8(c, in.a.data(), in.b.data(), in.a_format, in.b_format);
    case Product::Cf16:
      return numerics::mma_cf16(c, in.a.data(), in.b.data(), in.a_format, in.b_format);
  }
}

std::array<std::uint32_t, 64> result_of(Product product, const Case& in) {
  auto c = in.c;
  run(product, in, c.data());
  return c;
}

// The definition, section 7 of xd1.md.
std::uint32_t operand(Product product, PackedFormat format,
                      const std::array<std::uint8_t, 64>& packet, unsigned element) {
  const bool ieee = format.denormals == DenormalRule::Ieee;
  std::uint16_t code = 0;
  if (product == Product::Cf8) {
    const auto exact = format.packed == Packed::Cf143 ? reference::cf143(format.bias, ieee)
                                                      : reference::cf152(format.bias, ieee);
    return reference::widen(exact, packet[element]);
  }
  std::memcpy(&code, packet.data() + 2 * std::size_t{element}, sizeof code);
  if (product == Product::Bf16) return static_cast<std::uint32_t>(code) << 16;
  if (product == Product::F16) {
    const reference::Format half{5, 10, true, true, true, 15, 1};
    return reference::widen(half, code);
  }
  return reference::widen(
      format.packed == Packed::Uhp ? reference::uhp() : reference::shp(format.bias, ieee), code);
}

std::array<std::uint32_t, 64> defined(Product product, const Case& in) {
  static constexpr unsigned kPairs[] = {1, 0, 3, 2};
  auto c = in.c;
  const unsigned depth = product == Product::Cf8 ? 8 : 4;
  for (unsigned i = 0; i < 8; ++i)
    for (unsigned j = 0; j < 8; ++j)
      for (unsigned step = 0; step < depth; ++step) {
        const unsigned k = product == Product::Cf8 ? step : kPairs[step];
        const unsigned b_at = product == Product::Cf8 ? 8 * k + j : 16 * (k / 2) + 2 * j + k % 2;
        c[8 * i + j] = reference::fma(operand(product, in.a_format, in.a, depth * i + k),
                                      operand(product, in.b_format, in.b, b_at), c[8 * i + j]);
      }
  return c;
}

class Xd1Matrix : public testing::Test {
 protected:
  ~Xd1Matrix() override { numerics::select_numerics(numerics::best_level()); }
  static Random seeded(std::uint64_t seed) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    return Random(seed);
  }
};

TEST_F(Xd1Matrix, EachLevelGivesTheBitsOfTheDefinition) {
  for (const Level level : {Level::Portable, Level::Avx2, Level::Avx512}) {
    if (!numerics::select_numerics(level)) continue;
    EXPECT_EQ(numerics::selected_level(), level);
    Random random = seeded(31);
    for (const Product product : kProducts)
      for (int round = 0; round < 3000; ++round) {
        const Case in = random_case(product, random);
        ASSERT_EQ(result_of(product, in), defined(product, in))
            << "product " << static_cast<int>(product) << " level " << static_cast<int>(level);
      }
  }
}

TEST_F(Xd1Matrix, AllLevelsAgreeOnAMillionProducts) {
  Random random = seeded(32);
  constexpr int kRounds = 1'000'000;
  std::vector<Case> cases;
  std::vector<std::array<std::uint32_t, 64>> expected;
  for (int done = 0; done < kRounds; done += 1000) {
    // CFloat8 products take twice the time; bf16 is the one that matters most.
    const Product product = kProducts[done / 1000 % 10 < 7 ? 0 : done / 1000 % 10 - 6];
    cases.clear();
    expected.clear();
    for (int i = 0; i < 1000; ++i) cases.push_back(random_case(product, random));
    numerics::select_numerics(Level::Portable);
    for (const Case& in : cases) expected.push_back(result_of(product, in));
    for (const Level level : {Level::Avx2, Level::Avx512}) {
      if (!numerics::select_numerics(level)) continue;
      for (std::size_t i = 0; i < cases.size(); ++i)
        ASSERT_EQ(result_of(product, cases[i]), expected[i])
            << "product " << static_cast<int>(product) << " level " << static_cast<int>(level);
    }
  }
}

TEST_F(Xd1Matrix, CMayLieOverAAndB) {
  Random random = seeded(33);
  for (const Level level : {Level::Portable, Level::Avx2, Level::Avx512}) {
    if (!numerics::select_numerics(level)) continue;
    for (const Product product : kProducts)
      for (unsigned overlap = 0; overlap < 4; ++overlap) {
        Case in = random_case(product, random);
        std::memcpy(in.a.data(), in.c.data() + std::size_t{16} * overlap, 64);
        std::memcpy(in.b.data(), in.c.data() + std::size_t{16} * (3 - overlap), 64);
        const auto expected = defined(product, in);
        auto c = in.c;
        const void* a = c.data() + std::size_t{16} * overlap;
        const void* b = c.data() + std::size_t{16} * (3 - overlap);
        switch (product) {
          case Product::Bf16:
            numerics::mma_bf16(c.data(), a, b);
            break;
          case Product::F16:
            numerics::mma_f16(c.data(), a, b);
            break;
          case Product::Cf8:
            numerics::mma_cf8(c.data(), a, b, in.a_format, in.b_format);
            break;
          case Product::Cf16:
            numerics::mma_cf16(c.data(), a, b, in.a_format, in.b_format);
            break;
        }
        ASSERT_EQ(c, expected) << "product " << static_cast<int>(product) << " level "
                               << static_cast<int>(level);
      }
  }
}

TEST_F(Xd1Matrix, AResultJustBelowTheNormalNumbersIsFlushedUnlessItRoundsUpToThem) {
  struct Row {
    std::uint16_t a, b;  // BF16, at k = 0
    std::uint32_t c, result;
  };
  constexpr std::uint16_t kOne = 0x3f80;
  const Row rows[] = {
      {0x9980, 0x1980, 0x00800000, 0x00800000},  // 2^-126 - 2^-152 rounds up to 2^-126
      {0x9980, 0x1a00, 0x00800000, 0x00800000},  // 2^-126 - 2^-151: the middle, so too (even)
      {0x99c0, 0x1a00, 0x00800000, 0x00000000},  // 2^-126 - 1.5 x 2^-151 does not: flushed
      {0x1980, 0x9a00, 0x80800000, 0x80800000},  // the same with the other sign: -2^-126 - 2^-151
      {0x19c0, 0x1a00, 0x80800000, 0x80000000},
      {0x8080, kOne, 0x00ffffff, 0x00000000},  // 2^-125 - 2^-149 - 2^-126, exact but denormal
      {0x8080, kOne, 0x01000000, 0x00800000},  // 2^-125 - 2^-126: the smallest normal number
      {0x8080, kOne, 0x00800001, 0x00000000},  // 2^-149
      {0x0001, kOne, 0x00000001, 0x00000000},  // denormal operands count as zero
      {0x8000, kOne, 0x80000001, 0x80000000},  // and keep their sign: -0 + -0 = -0
  };
  for (const Level level : {Level::Portable, Level::Avx2, Level::Avx512}) {
    if (!numerics::select_numerics(level)) continue;
    for (const Row& row : rows) {
      Case in{};
      for (unsigned i = 0; i < 8; ++i) {
        std::memcpy(&in.a[8 * i], &row.a, 2);
        std::memcpy(&in.b[4 * i], &row.b, 2);
        // The other products are zeros of the same sign, which add nothing.
        for (unsigned k = 1; k < 4; ++k) {
          const auto zero = static_cast<std::uint16_t>(row.c >> 31 << 15);
          std::memcpy(&in.a[8 * i + 2 * k], &zero, 2);
        }
      }
      in.c.fill(row.c);
      EXPECT_EQ(result_of(Product::Bf16, in)[0], row.result) << std::hex << row.c;
      EXPECT_EQ(defined(Product::Bf16, in)[0], row.result) << std::hex << row.c;
    }
  }
}

#if defined(__x86_64__)
TEST_F(Xd1Matrix, TheHostsRoundingModeAndFlagsNeitherMatterNorChange) {
  Random random = seeded(34);
  const unsigned before = _mm_getcsr();
  for (const Level level : {Level::Portable, Level::Avx2, Level::Avx512}) {
    if (!numerics::select_numerics(level)) continue;
    for (const Product product : kProducts)
      for (int round = 0; round < 200; ++round) {
        const Case in = random_case(product, random);
        const auto expected = defined(product, in);
        const unsigned rounding = static_cast<unsigned>(random() % 4) << 13;
        const unsigned denormals = static_cast<unsigned>(random() % 4) * 0x2040 & 0x8040;
        const unsigned control = 0x1f80 | rounding | denormals | (random() & 0x3f);
        auto c = in.c;
        _mm_setcsr(control);
        asm volatile("" : : "r"(c.data()), "r"(&in) : "memory");
        run(product, in, c.data());
        asm volatile("" : : "r"(c.data()) : "memory");
        const unsigned after = _mm_getcsr();
        _mm_setcsr(before);
        ASSERT_EQ(after, control) << "product " << static_cast<int>(product) << " level "
                                  << static_cast<int>(level);
        ASSERT_EQ(c, expected) << std::hex << control;
      }
  }
}
#endif

TEST_F(Xd1Matrix, ALevelTheHostLacksIsRefused) {
  if (numerics::best_level() == Level::Avx512) GTEST_SKIP() << "this host has all levels";
  EXPECT_FALSE(numerics::select_numerics(Level::Avx512));
  EXPECT_EQ(numerics::selected_level(), numerics::best_level());
}

}  // namespace
}  // namespace d1::isa
