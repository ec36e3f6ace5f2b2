// SPDX-License-Identifier: Apache-2.0
// Matrix products of Xd1 on any host, and those whose operands are widened by other functions.
#include "xd1_mma.hpp"

#include <bit>
#include <cmath>
#if !defined(__x86_64__)
#include <cfenv>
#endif

namespace d1::isa::numerics {
namespace {

constexpr std::uint32_t kCanonicalNan = 0x7fc00000;

float without_denormals(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & 0x7f800000) == 0 ? std::bit_cast<float>(bits & 0x80000000) : value;
}

// a * b + c with one rounding. The product of two FP32 numbers is exact in FP64; the sum is rounded
// to odd there, which keeps the rounding to FP32 from going wrong twice.
float fused(float a, float b, float c) noexcept {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double addend = c;
  double sum = product + addend;
  if (std::isfinite(sum)) {
    const double rest = sum - product;
    const double error = (product - (sum - rest)) + (addend - rest);
    auto bits = std::bit_cast<std::uint64_t>(sum);
    if (error != 0 && (bits & 1) == 0) {
      bits = (error > 0) == (sum > 0) ? bits + 1 : bits - 1;
      sum = std::bit_cast<double>(bits);
    }
    // Below this, rounding to 24 bits with an unbounded exponent stays below 2^-126.
    constexpr double kTiny = 0x1.ffffffp-127;
    static_assert(kTiny == 0x1p-126 * (1 - 0x1p-25));
    if (std::fabs(sum) < kTiny) return std::copysign(0.0f, static_cast<float>(sum));
  }
  if (std::isnan(sum)) return std::bit_cast<float>(kCanonicalNan);
  return static_cast<float>(sum);
}

void accumulate_all(float* c, const WideOperands& operands, unsigned steps) noexcept {
  for (unsigned i = 0; i < 8; ++i) {
    for (unsigned j = 0; j < 8; ++j) {
      float sum = without_denormals(c[8 * i + j]);
      for (unsigned s = 0; s < steps; ++s)
        sum = fused(without_denormals(operands.a[s][i]), without_denormals(operands.b[s][j]), sum);
      c[8 * i + j] = sum;
    }
  }
}

// The order in which mma.bf16, mma.f16 and mma.cf16 take k: odd before even in each pair.
constexpr unsigned kPairOrder[4] = {1, 0, 3, 2};

// Spreads [8][4] and [2][8][2] of FP32 in the order of accumulation.
void arrange_pairs(const float* a, const float* b, WideOperands& operands) noexcept {
  for (unsigned s = 0; s < 4; ++s) {
    const unsigned k = kPairOrder[s];
    for (unsigned i = 0; i < 8; ++i) {
      operands.a[s][i] = a[4 * i + k];
      operands.b[s][i] = b[16 * (k / 2) + 2 * i + k % 2];
    }
  }
}

void widen_bf16(const void* source, float* result) noexcept {
  std::uint16_t codes[32];
  std::memcpy(codes, source, sizeof codes);
  for (unsigned i = 0; i < 32; ++i)
    result[i] = std::bit_cast<float>(static_cast<std::uint32_t>(codes[i]) << 16);
}

std::uint32_t f16_to_f32(std::uint16_t code) noexcept {
  const std::uint32_t sign = (code & 0x8000u) << 16;
  const std::uint32_t exponent = code >> 10 & 31;
  const std::uint32_t mantissa = code & 0x3ff;
  if (exponent == 31) return mantissa ? kCanonicalNan : sign | 0x7f800000;
  if (exponent != 0) return sign | (exponent + 112) << 23 | mantissa << 13;
  if (mantissa == 0) return sign;
  const auto top = static_cast<unsigned>(std::bit_width(mantissa)) - 1;  // value: mantissa * 2^-24
  return sign | (top + 103) << 23 | (mantissa << (23 - top) & 0x7fffff);
}

}  // namespace

void accumulate_portable(void* c, const WideOperands& operands, unsigned steps) noexcept {
  float values[64];
  std::memcpy(values, c, sizeof values);
#if defined(__x86_64__)
  const HostFloatScope scope(HostFloatScope::kNearest);
  asm volatile("" : : "r"(values), "r"(&operands) : "memory");
  accumulate_all(values, operands, steps);
  asm volatile("" : : "r"(values) : "memory");
#else
  std::fenv_t saved;
  std::feholdexcept(&saved);
  std::fesetround(FE_TONEAREST);
  accumulate_all(values, operands, steps);
  std::fesetenv(&saved);
#endif
  std::memcpy(c, values, sizeof values);
}

void mma_bf16_portable(void* c, const void* a, const void* b) noexcept {
  float wide_a[32], wide_b[32];
  WideOperands operands;
  widen_bf16(a, wide_a);
  widen_bf16(b, wide_b);
  arrange_pairs(wide_a, wide_b, operands);
  accumulate_portable(c, operands, 4);
}

void mma_f16_portable(void* c, const void* a, const void* b) noexcept {
  std::uint16_t codes[2][32];
  float wide[2][32];
  WideOperands operands;
  std::memcpy(codes[0], a, 64);
  std::memcpy(codes[1], b, 64);
  for (unsigned i = 0; i < 64; ++i)
    wide[i / 32][i % 32] = std::bit_cast<float>(f16_to_f32(codes[i / 32][i % 32]));
  arrange_pairs(wide[0], wide[1], operands);
  accumulate_portable(c, operands, 4);
}

void mma_cf8_widened(Accumulate accumulate, void* c, const void* a, const void* b,
                     PackedFormat a_format, PackedFormat b_format) noexcept {
  float wide_a[64];
  WideOperands operands;
  widen_to_f32(a_format, a, wide_a);
  widen_to_f32(b_format, b, operands.b);
  transpose(4, wide_a, operands.a);
  accumulate(c, operands, 8);
}

void mma_cf16_widened(Accumulate accumulate, void* c, const void* a, const void* b,
                      PackedFormat a_format, PackedFormat b_format) noexcept {
  float wide_a[32], wide_b[32];
  WideOperands operands;
  widen_to_f32(a_format, a, wide_a);
  widen_to_f32(b_format, b, wide_b);
  arrange_pairs(wide_a, wide_b, operands);
  accumulate(c, operands, 4);
}

}  // namespace d1::isa::numerics
