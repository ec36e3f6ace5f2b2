// SPDX-License-Identifier: Apache-2.0
// The 7-bit estimates. The specification prints their tables; each entry is the function at the
// middle of the interval its index stands for, rounded to nearest, and so they are made here.
#include <array>

#include <d1/isa/float_convert.hpp>

namespace d1::isa {
namespace {

constexpr unsigned kEntries = 128;
constexpr unsigned kTableShift = 64 - 8;  // of the 7 bits below the hidden one

// Entry i: 128 * (2 / x - 1) for x = 1 + (i + 1/2) / 128.
constexpr std::array<std::uint8_t, kEntries> kReciprocal = [] {
  std::array<std::uint8_t, kEntries> table{};
  for (unsigned i = 0; i < kEntries; ++i) {
    const unsigned denominator = 2 * kEntries + 2 * i + 1;
    table[i] = static_cast<std::uint8_t>((2 * 65536 + denominator) / (2 * denominator) - 128);
  }
  return table;
}();

// Entry i: 128 * (2 / sqrt(y) - 1), where the low 6 bits j of i give x = 1 + (j + 1/2) / 64, and
// y is 2x for even exponent fields (bit 6 clear: the exponent is odd) and x for odd ones.
constexpr std::array<std::uint8_t, kEntries> kReciprocalRoot = [] {
  std::array<std::uint8_t, kEntries> table{};
  for (unsigned i = 0; i < kEntries; ++i) {
    const std::uint64_t y = (128 + 2 * (i & 63) + 1) * (i & 64 ? 1 : 2);  // in 1/128
    std::uint64_t root = 256;  // the largest n with n - 1/2 <= 256 / sqrt(y)
    while ((2 * root - 1) * (2 * root - 1) * y > std::uint64_t{4} * 65536 * 128) --root;
    table[i] = static_cast<std::uint8_t>(root - 128);
  }
  return table;
}();

}  // namespace

template <typename F>
BitsOf<F> reciprocal_estimate(FloatContext& context, BitsOf<F> a) noexcept {
  const bool sign = sign_of<F>(a);
  if (is_nan<F>(a)) {
    if (is_signaling<F>(a)) context.raise(kNv);
    return F::kNan;
  }
  if (is_infinite<F>(a)) return with_sign<F>(0, sign);
  if (is_zero<F>(a)) {
    context.raise(kDz);
    return with_sign<F>(F::kInfinity, sign);
  }
  const Unpacked value = unpack<F>(a);
  const int field = value.exponent + F::kBias;
  if (field < -1) return overflow<F>(context, sign, rounding_of(context));
  const int result_field = 2 * F::kBias - 1 - field;
  const unsigned index = static_cast<unsigned>(value.significand >> kTableShift) % kEntries;
  std::uint64_t fraction = std::uint64_t{kReciprocal[index]} << (F::kFractionBits - 7);
  if (result_field <= 0)  // a subnormal result: the hidden bit moves into the fraction
    fraction = (fraction | F::kSmallestNormal) >> (1 - result_field);
  const std::uint64_t exponent =
      result_field > 0 ? static_cast<std::uint64_t>(result_field) << F::kFractionBits : 0;
  return with_sign<F>(static_cast<BitsOf<F>>(exponent | fraction), sign);
}

template <typename F>
BitsOf<F> reciprocal_root_estimate(FloatContext& context, BitsOf<F> a) noexcept {
  const bool sign = sign_of<F>(a);
  if (is_zero<F>(a)) {
    context.raise(kDz);
    return with_sign<F>(F::kInfinity, sign);
  }
  if (is_nan<F>(a) || sign) {
    if (is_signaling<F>(a) || !is_nan<F>(a)) context.raise(kNv);
    return F::kNan;
  }
  if (is_infinite<F>(a)) return 0;
  const Unpacked value = unpack<F>(a);
  const int field = value.exponent + F::kBias;
  const unsigned index = (field & 1 ? 64u : 0u) |
                         (static_cast<unsigned>(value.significand >> (kTableShift + 1)) & 63u);
  const auto exponent = static_cast<std::uint64_t>((3 * F::kBias - 1 - field) / 2);
  const std::uint64_t fraction = std::uint64_t{kReciprocalRoot[index]} << (F::kFractionBits - 7);
  return static_cast<BitsOf<F>>(exponent << F::kFractionBits | fraction);
}

#define D1_INSTANTIATE(F)                                                       \
  template BitsOf<F> reciprocal_estimate<F>(FloatContext&, BitsOf<F>) noexcept; \
  template BitsOf<F> reciprocal_root_estimate<F>(FloatContext&, BitsOf<F>) noexcept;
D1_INSTANTIATE(F16)
D1_INSTANTIATE(F32)
D1_INSTANTIATE(F64)
#undef D1_INSTANTIATE

}  // namespace d1::isa
