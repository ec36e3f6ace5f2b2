// SPDX-License-Identifier: Apache-2.0
// Floating-point operations exactly as RISC-V defines them, on raw bits, for scalar and vector
// instructions: NaN results are canonical, flags accrue in MXCSR or in the context.
//
// add, subtract, multiply, divide, square_root, multiply_add and convert between F32 and F64 use
// host instructions and belong inside a FloatScope (float_environment.hpp), which is the context
// they take. All others are integer code: a plain FloatContext will do, and whoever made it has to
// put its flags into Hart::fflags. F is F16, F32 or F64; conversions know BF16 too.
#pragma once

#include <limits>

#include <d1/isa/float_host.hpp>
#include <d1/isa/float_integer_only.hpp>

namespace d1::isa {

namespace detail {
// Exact, so never a rounding: quiet and signaling NaNs become canonical ones without a flag.
template <typename To, typename From>
[[nodiscard]] constexpr BitsOf<To> widen_exactly(BitsOf<From> a) noexcept {
  static_assert(To::kPrecision >= From::kPrecision && To::kExponentBits >= From::kExponentBits);
  constexpr unsigned kShift = To::kFractionBits - From::kFractionBits;
  using Bits = BitsOf<To>;
  const Bits bits = magnitude<From>(a);
  const bool sign = sign_of<From>(a);
  if (bits > From::kInfinity) return To::kNan;
  if (bits == From::kInfinity) return with_sign<To>(To::kInfinity, sign);
  constexpr auto kRebias =
      static_cast<Bits>(static_cast<Bits>(To::kBias - From::kBias) << To::kFractionBits);
  if (bits >= From::kSmallestNormal)
    return with_sign<To>(static_cast<Bits>((bits << kShift) + kRebias), sign);
  if (bits == 0) return with_sign<To>(0, sign);
  if constexpr (To::kExponentBits == From::kExponentBits) {
    return with_sign<To>(static_cast<Bits>(bits << kShift), sign);
  } else {
    const Unpacked value = unpack<From>(a);
    const auto fraction = (value.significand << 1) >> (64 - To::kFractionBits);
    return with_sign<To>(static_cast<Bits>((static_cast<std::uint64_t>(value.exponent + To::kBias)
                                            << To::kFractionBits) |
                                           fraction),
                         sign);
  }
}

// The result of an F16 operation, computed in double precision, rounded once more. Twice is as
// good as once here: a double has more than twice the bits of any operand or product, so results
// lie on a rounding boundary of F16 exactly or further away than the first rounding reaches.
[[nodiscard]] inline std::uint16_t narrow_half(FloatContext& context, std::uint64_t a) noexcept {
  if (is_nan<F64>(a)) return F16::kNan;
  if (is_infinite<F64>(a)) return with_sign<F16>(F16::kInfinity, sign_of<F64>(a));
  if (is_zero<F64>(a)) return with_sign<F16>(0, sign_of<F64>(a));
  return round_to<F16>(context, unpack<F64>(a), rounding_of(context));
}
[[nodiscard]] inline std::uint64_t widen_half(FloatContext& context, std::uint16_t a) noexcept {
  if (is_signaling<F16>(a)) context.raise(kNv);
  return widen_exactly<F64, F16>(a);
}

template <typename F>
inline constexpr bool is_half = F::kWidth == 16;

// x86 raises nothing for 0 * infinity + quiet NaN; RISC-V says invalid.
template <typename F>
void raise_for_invalid_product(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  if ((is_infinite<F>(a) && is_zero<F>(b)) || (is_zero<F>(a) && is_infinite<F>(b)))
    context.raise(kNv);
}
}  // namespace detail

#define D1_BINARY(name)                                                                     \
  template <typename F>                                                                     \
  [[nodiscard]] inline BitsOf<F> name(FloatContext& context, BitsOf<F> a, BitsOf<F> b) {    \
    if (context.rounding == RoundingMode::Rmm) [[unlikely]]                                 \
      return integer_only::name<F>(context, a, b);                                          \
    if constexpr (detail::is_half<F>)                                                       \
      return detail::narrow_half(context, host::name(F64{}, detail::widen_half(context, a), \
                                                     detail::widen_half(context, b)));      \
    else                                                                                    \
      return canonical<F>(host::name(F{}, a, b));                                           \
  }
D1_BINARY(add)
D1_BINARY(multiply)
D1_BINARY(divide)
#undef D1_BINARY

template <typename F>
[[nodiscard]] inline BitsOf<F> subtract(FloatContext& context, BitsOf<F> a, BitsOf<F> b) {
  return add<F>(context, a, negate<F>(b));
}

template <typename F>
[[nodiscard]] inline BitsOf<F> square_root(FloatContext& context, BitsOf<F> a) {
  if (context.rounding == RoundingMode::Rmm) [[unlikely]]
    return integer_only::square_root<F>(context, a);
  if constexpr (detail::is_half<F>)
    return detail::narrow_half(context, host::square_root(F64{}, detail::widen_half(context, a)));
  else
    return canonical<F>(host::square_root(F{}, a));
}

// a * b + c, rounded once. The other members of the family change signs of operands:
// multiply_subtract a * b - c, negated_... -(a * b) -+ c, as fmsub, fnmsub and fnmadd.
template <typename F>
[[nodiscard]] inline BitsOf<F> multiply_add(FloatContext& context, BitsOf<F> a, BitsOf<F> b,
                                            BitsOf<F> c) {
  if (context.rounding == RoundingMode::Rmm) [[unlikely]]
    return integer_only::multiply_add<F>(context, a, b, c);
  if constexpr (detail::is_half<F>) {
    const std::uint64_t product = host::multiply(F64{}, detail::widen_half(context, a),
                                                 detail::widen_half(context, b));  // exact
    return detail::narrow_half(context, host::add(F64{}, product, detail::widen_half(context, c)));
  } else {
    if (!host::has_fma) [[unlikely]]
      return integer_only::multiply_add<F>(context, a, b, c);
    const BitsOf<F> result = host::multiply_add(F{}, a, b, c);
    if (!is_nan<F>(result)) [[likely]]
      return result;
    detail::raise_for_invalid_product<F>(context, a, b);
    return F::kNan;
  }
}
template <typename F>
[[nodiscard]] inline BitsOf<F> multiply_subtract(FloatContext& context, BitsOf<F> a, BitsOf<F> b,
                                                 BitsOf<F> c) {
  return multiply_add<F>(context, a, b, negate<F>(c));
}
template <typename F>
[[nodiscard]] inline BitsOf<F> negated_multiply_subtract(FloatContext& context, BitsOf<F> a,
                                                         BitsOf<F> b, BitsOf<F> c) {
  return multiply_add<F>(context, negate<F>(a), b, c);  // fnmsub: -(a * b) + c
}
template <typename F>
[[nodiscard]] inline BitsOf<F> negated_multiply_add(FloatContext& context, BitsOf<F> a, BitsOf<F> b,
                                                    BitsOf<F> c) {
  return multiply_add<F>(context, negate<F>(a), b, negate<F>(c));  // fnmadd: -(a * b) - c
}

// Comparisons. `equal` is quiet; the others raise NV for every NaN.
template <typename F>
[[nodiscard]] constexpr bool equal(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  if (is_nan<F>(a) || is_nan<F>(b)) {
    if (is_signaling<F>(a) || is_signaling<F>(b)) context.raise(kNv);
    return false;
  }
  return a == b || (is_zero<F>(a) && is_zero<F>(b));
}
namespace detail {
template <typename F>  // neither is a NaN
[[nodiscard]] constexpr bool ordered_less(BitsOf<F> a, BitsOf<F> b) noexcept {
  if (sign_of<F>(a) != sign_of<F>(b)) return sign_of<F>(a) && !(is_zero<F>(a) && is_zero<F>(b));
  return sign_of<F>(a) ? b < a : a < b;
}
}  // namespace detail
template <typename F>
[[nodiscard]] constexpr bool less(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  if (is_nan<F>(a) || is_nan<F>(b)) {
    context.raise(kNv);
    return false;
  }
  return detail::ordered_less<F>(a, b);
}
template <typename F>
[[nodiscard]] constexpr bool less_equal(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  if (is_nan<F>(a) || is_nan<F>(b)) {
    context.raise(kNv);
    return false;
  }
  return !detail::ordered_less<F>(b, a);
}

// minimumNumber and maximumNumber: a NaN loses against a number, -0 is less than +0.
template <typename F>
[[nodiscard]] constexpr BitsOf<F> minimum(FloatContext& context, BitsOf<F> a,
                                          BitsOf<F> b) noexcept {
  if (is_signaling<F>(a) || is_signaling<F>(b)) context.raise(kNv);
  if (is_nan<F>(a)) return canonical<F>(b);
  if (is_nan<F>(b)) return a;
  if (is_zero<F>(a) && is_zero<F>(b)) return static_cast<BitsOf<F>>(a | b);
  return detail::ordered_less<F>(b, a) ? b : a;
}
template <typename F>
[[nodiscard]] constexpr BitsOf<F> maximum(FloatContext& context, BitsOf<F> a,
                                          BitsOf<F> b) noexcept {
  if (is_signaling<F>(a) || is_signaling<F>(b)) context.raise(kNv);
  if (is_nan<F>(a)) return canonical<F>(b);
  if (is_nan<F>(b)) return a;
  if (is_zero<F>(a) && is_zero<F>(b)) return static_cast<BitsOf<F>>(a & b);
  return detail::ordered_less<F>(a, b) ? b : a;
}

}  // namespace d1::isa
