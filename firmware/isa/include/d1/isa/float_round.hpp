// SPDX-License-Identifier: Apache-2.0
// Taking values apart and rounding exact results to a format, in integers: for what host
// instructions do not do (ties away from zero, round to odd, half precision, hosts without FMA).
// Pure functions of their arguments and the FloatContext: any thread, MXCSR is not touched.
#pragma once

#include <bit>

#include <d1/isa/float_environment.hpp>
#include <d1/isa/float_format.hpp>

namespace d1::isa {

// Rounding as the RISC-V modes, and to odd (vfncvt.rod): truncate, set the last bit if inexact.
enum class Rounding : std::uint8_t { Rne = 0, Rtz = 1, Rdn = 2, Rup = 3, Rmm = 4, Odd = 5 };

[[nodiscard]] constexpr Rounding rounding_of(const FloatContext& context) noexcept {
  return static_cast<Rounding>(context.rounding);
}

// A finite value other than zero: significand * 2^(exponent - 63), its top bit set. In results not
// yet rounded the last bit is sticky: set if anything below it is not zero.
struct Unpacked {
  bool sign;
  int exponent;
  std::uint64_t significand;
};

template <typename F>
[[nodiscard]] constexpr Unpacked unpack(BitsOf<F> a) noexcept {
  const std::uint64_t bits = magnitude<F>(a);
  const int field = static_cast<int>(bits >> F::kFractionBits);
  const std::uint64_t fraction = bits & F::kFraction;
  if (field == 0) {
    const int shift = std::countl_zero(fraction);
    return {sign_of<F>(a), 1 - F::kBias + (63 - shift) - static_cast<int>(F::kFractionBits),
            fraction << shift};
  }
  return {sign_of<F>(a), field - F::kBias,
          (fraction | std::uint64_t{F::kSmallestNormal}) << (64 - F::kPrecision)};
}

// value >> count, with the last bit of the result set if a one was shifted out.
template <typename T>
[[nodiscard]] constexpr T shift_right_sticky(T value, unsigned count) noexcept {
  if (count == 0) return value;
  if (count >= 8 * sizeof(T)) return value != 0;
  return (value >> count) | T{(value << (8 * sizeof(T) - count)) != 0};
}

// `value` without its low `drop` bits (1..63), rounded; the carry may reach bit 64 - drop.
[[nodiscard]] constexpr std::uint64_t round_off(std::uint64_t value, unsigned drop, bool sign,
                                                Rounding rounding) noexcept {
  const std::uint64_t low = value & ((std::uint64_t{1} << drop) - 1);
  const std::uint64_t half = std::uint64_t{1} << (drop - 1);
  const std::uint64_t kept = value >> drop;
  switch (rounding) {
    case Rounding::Rne:
      return kept + (low > half || (low == half && (kept & 1)) ? 1 : 0);
    case Rounding::Rtz:
      return kept;
    case Rounding::Rdn:
      return kept + (sign && low != 0 ? 1 : 0);
    case Rounding::Rup:
      return kept + (!sign && low != 0 ? 1 : 0);
    case Rounding::Rmm:
      return kept + (low >= half ? 1 : 0);
    case Rounding::Odd:
      return kept | (low != 0 ? 1 : 0);
  }
  return kept;
}

template <typename F>
[[nodiscard]] constexpr BitsOf<F> overflow(FloatContext& context, bool sign,
                                           Rounding rounding) noexcept {
  context.raise(kOf | kNx);
  const bool infinite = rounding == Rounding::Rne || rounding == Rounding::Rmm ||
                        rounding == (sign ? Rounding::Rdn : Rounding::Rup);
  return with_sign<F>(infinite ? F::kInfinity : F::kLargest, sign);
}

// Rounds to F: overflow, gradual underflow with tininess after rounding, and the flags of each.
template <typename F>
[[nodiscard]] constexpr BitsOf<F> round_to(FloatContext& context, const Unpacked& value,
                                           Rounding rounding) noexcept {
  constexpr unsigned kDrop = 64 - F::kPrecision;
  constexpr std::uint64_t kDropped = (std::uint64_t{1} << kDrop) - 1;
  const int field = value.exponent + F::kBias;
  if (field >= F::kExponentMax) return overflow<F>(context, value.sign, rounding);
  std::uint64_t significand = value.significand;
  bool tiny = false;
  if (field <= 0) {
    // Tiny unless rounding with unbounded exponent reaches the smallest normal number.
    tiny = field < 0 || round_off(significand, kDrop, value.sign, rounding) >> F::kPrecision == 0;
    significand = shift_right_sticky(significand, static_cast<unsigned>(1 - field));
  }
  if ((significand & kDropped) != 0) context.raise(tiny ? kNx | kUf : unsigned{kNx});
  const std::uint64_t rounded = round_off(significand, kDrop, value.sign, rounding);
  // The hidden bit, and a carry out of the significand, count the exponent field up.
  const std::uint64_t base = field <= 0 ? 0 : static_cast<std::uint64_t>(field - 1);
  const std::uint64_t bits = (base << F::kFractionBits) + rounded;
  if (bits >= F::kInfinity) return overflow<F>(context, value.sign, rounding);
  return static_cast<BitsOf<F>>(bits | (value.sign ? std::uint64_t{F::kSign} : 0));
}

}  // namespace d1::isa
