// SPDX-License-Identifier: Apache-2.0
// Conversions between floating-point formats and to and from integers, and the 7-bit estimates of
// the vector extension: saturation, canonical NaNs and flags as RISC-V defines them. Raw bits in
// and out. Integer code, but for F32 <-> F64, which belongs inside a FloatScope.
#pragma once

#include <d1/isa/float_arithmetic.hpp>

namespace d1::isa {

// Rounds to the integer type I (8 to 64 bits, signed or not); NaN counts as +infinity.
template <typename I, typename F>
[[nodiscard]] constexpr I to_integer(FloatContext& context, BitsOf<F> a,
                                     Rounding rounding) noexcept {
  using Limits = std::numeric_limits<I>;
  if (is_zero<F>(a)) return 0;
  const bool sign = sign_of<F>(a) && !is_nan<F>(a);
  const I saturated = sign ? Limits::min() : Limits::max();
  const Unpacked value = unpack<F>(a);
  if (value.exponent > 63 || magnitude<F>(a) >= F::kInfinity) {
    context.raise(kNv);
    return saturated;
  }
  std::uint64_t integer = value.significand;
  bool inexact = false;
  if (value.exponent < 63) {
    constexpr unsigned kMostDropped = 62;
    auto drop = static_cast<unsigned>(63 - value.exponent);
    if (drop > kMostDropped) {
      integer = shift_right_sticky(integer, drop - kMostDropped);
      drop = kMostDropped;
    }
    inexact = (integer & ((std::uint64_t{1} << drop) - 1)) != 0;
    integer = round_off(integer, drop, sign, rounding);
  }
  const std::uint64_t limit =
      static_cast<std::uint64_t>(Limits::max()) + (sign && Limits::is_signed ? 1 : 0);
  if (sign && !Limits::is_signed ? integer != 0 : integer > limit) {
    context.raise(kNv);
    return saturated;
  }
  if (inexact) context.raise(kNx);
  return static_cast<I>(sign ? std::uint64_t{0} - integer : integer);
}
template <typename I, typename F>
[[nodiscard]] constexpr I to_integer(FloatContext& context, BitsOf<F> a) noexcept {
  return to_integer<I, F>(context, a, rounding_of(context));
}

template <typename F, typename I>
[[nodiscard]] constexpr BitsOf<F> from_integer(FloatContext& context, I a) noexcept {
  if (a == 0) return 0;
  const bool sign = a < 0;
  const auto extended = static_cast<std::uint64_t>(a);  // of signed types: sign-extended
  const std::uint64_t absolute = sign ? std::uint64_t{0} - extended : extended;
  const int zeros = std::countl_zero(absolute);
  return round_to<F>(context, {sign, 63 - zeros, absolute << zeros}, rounding_of(context));
}

// Whether convert() between the two uses host instructions, and so belongs inside a FloatScope.
template <typename To, typename From>
inline constexpr bool kConvertsByHost = (std::is_same_v<To, F64> && std::is_same_v<From, F32>) ||
                                        (std::is_same_v<To, F32> && std::is_same_v<From, F64>);

// From one format to another.
template <typename To, typename From>
[[nodiscard]] inline BitsOf<To> convert(FloatContext& context, BitsOf<From> a,
                                        Rounding rounding) noexcept {
  if constexpr (To::kPrecision >= From::kPrecision && To::kExponentBits >= From::kExponentBits) {
    if constexpr (kConvertsByHost<To, From>) {
      return canonical<To>(host::widen(a));
    } else {
      if (is_signaling<From>(a)) context.raise(kNv);
      return detail::widen_exactly<To, From>(a);
    }
  } else {
    if constexpr (kConvertsByHost<To, From>)
      if (rounding == rounding_of(context) && rounding != Rounding::Rmm) [[likely]]
        return canonical<To>(host::narrow(a));
    if (is_nan<From>(a)) {
      if (is_signaling<From>(a)) context.raise(kNv);
      return To::kNan;
    }
    if (is_infinite<From>(a)) return with_sign<To>(To::kInfinity, sign_of<From>(a));
    if (is_zero<From>(a)) return with_sign<To>(0, sign_of<From>(a));
    return round_to<To>(context, unpack<From>(a), rounding);
  }
}
template <typename To, typename From>
[[nodiscard]] inline BitsOf<To> convert(FloatContext& context, BitsOf<From> a) noexcept {
  return convert<To, From>(context, a, rounding_of(context));
}

// vfrec7.v and vfrsqrt7.v: 1 / a and 1 / sqrt(a) to 7 bits. Instances for F16, F32 and F64.
template <typename F>
[[nodiscard]] BitsOf<F> reciprocal_estimate(FloatContext& context, BitsOf<F> a) noexcept;
template <typename F>
[[nodiscard]] BitsOf<F> reciprocal_root_estimate(FloatContext& context, BitsOf<F> a) noexcept;

}  // namespace d1::isa
