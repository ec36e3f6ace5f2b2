// SPDX-License-Identifier: Apache-2.0
// Conversions, stated by comparisons of exact values: long double holds every F64 and every 64-bit
// integer, and all differences taken here.
#include <cmath>
#include <limits>

#include "float_reference.hpp"

namespace d1::isa::test {
namespace {

using U = std::uint64_t;
using C = FloatContext;

enum class Round : std::uint8_t { Frm, Rtz };

// Infinity counts as the power of two past the largest number.
template <typename F>
long double value_of(BitsOf<F> bits) {
  const int exponent = static_cast<int>(magnitude<F>(bits) >> F::kFractionBits);
  auto value = static_cast<long double>(bits & F::kFraction);
  if (exponent != 0) value += static_cast<long double>(F::kSmallestNormal);
  const int scale = (exponent == 0 ? 1 : exponent) - F::kBias - static_cast<int>(F::kFractionBits);
  value = std::ldexp(value, scale);
  return sign_of<F>(bits) ? -value : value;
}

// Whether the magnitude is rounded away from zero: `below` of a unit is cut off, in [0, 1).
bool rounds_up(RoundingMode mode, bool negative, bool odd, long double below) {
  switch (mode) {
    case RoundingMode::Rne:
      return below > 0.5L || (below == 0.5L && odd);
    case RoundingMode::Rdn:
      return negative && below > 0;
    case RoundingMode::Rup:
      return !negative && below > 0;
    case RoundingMode::Rmm:
      return below >= 0.5L;
    default:
      return false;
  }
}

template <typename F, typename I>
U to_integer_reference(C& context, U bits, Round round) {
  using Limits = std::numeric_limits<I>;
  const auto a = static_cast<BitsOf<F>>(bits);
  const auto invalid = [&](I result) {
    context.raise(kNv);
    return static_cast<U>(result);
  };
  if (is_nan<F>(a)) return invalid(Limits::max());
  const bool negative = sign_of<F>(a);
  if (is_infinite<F>(a)) return invalid(negative ? Limits::min() : Limits::max());
  long double size = value_of<F>(a);
  if (size < 0) size = -size;
  if (size >= 18446744073709551616.0L) return invalid(negative ? Limits::min() : Limits::max());
  auto whole = static_cast<U>(size);
  const long double below = size - static_cast<long double>(whole);
  const RoundingMode mode = round == Round::Rtz ? RoundingMode::Rtz : context.rounding;
  if (rounds_up(mode, negative, whole % 2 != 0, below)) ++whole;  // below > 0: whole < 2^53
  const U most = negative ? (Limits::is_signed ? static_cast<U>(Limits::max()) + 1 : 0)
                          : static_cast<U>(Limits::max());
  if (whole > most) return invalid(negative ? Limits::min() : Limits::max());
  if (below != 0) context.raise(kNx);
  return negative ? U{0} - whole : whole;
}

// The neighbours in F by bisection of its magnitudes, then a choice between the two.
template <typename F>
U round_reference(C& context, long double value, bool negative_zero, RoundingMode mode) {
  const bool negative = value < 0 || (value == 0 && negative_zero);
  const long double size = value < 0 ? -value : value;
  BitsOf<F> low = 0, high = F::kInfinity;
  while (high - low > 1) {
    const auto middle = static_cast<BitsOf<F>>(low + (high - low) / 2);
    (value_of<F>(middle) <= size ? low : high) = middle;
  }
  const long double floor = value_of<F>(low);
  const auto sign = static_cast<BitsOf<F>>(negative ? F::kSign : 0);
  if (floor == size) return static_cast<BitsOf<F>>(low | sign);
  context.raise(kNx);
  const long double below = (size - floor) / (value_of<F>(high) - floor);  // in units of the last
  const bool beyond = below >= 1;
  const bool up = rounds_up(mode, negative, (low & 1) != 0, beyond ? 0.75L : below);
  if (beyond || (low == F::kLargest && up)) context.raise(kOf);
  if (size < value_of<F>(F::kSmallestNormal)) {
    // Tiny, unless rounding with no lower bound of exponents reaches the smallest normal number:
    // in the binade below it such values have a last unit half as large.
    const bool reaches = low == F::kSmallestNormal - 1 && below >= 0.5L &&
                         rounds_up(mode, negative, true, below * 2 - 1);
    if (!reaches) context.raise(kUf);
  }
  return static_cast<BitsOf<F>>((up ? high : low) | sign);
}

template <typename F, typename I>
U from_integer_reference(C& context, U bits) {
  return round_reference<F>(context, static_cast<long double>(static_cast<I>(bits)), false,
                            context.rounding);
}

template <typename To, typename Source>
U narrow_reference(C& context, U bits) {
  const auto a = static_cast<BitsOf<Source>>(bits);
  if (is_nan<Source>(a)) {
    if (is_signaling<Source>(a)) context.raise(kNv);
    return To::kNan;
  }
  if (is_infinite<Source>(a)) return with_sign<To>(To::kInfinity, sign_of<Source>(a));
  return round_reference<To>(context, value_of<Source>(a), sign_of<Source>(a), context.rounding);
}

// Round to odd: towards zero, then the last bit set if anything was lost.
template <typename To, typename Source>
U odd_reference(C& context, U bits) {
  C towards_zero{RoundingMode::Rtz, 0};
  U result = narrow_reference<To, Source>(towards_zero, bits);
  context.raise(towards_zero.flags);
  if ((towards_zero.flags & kNx) != 0) result |= 1;
  return result;
}

template <typename Reference>
U by_width(unsigned sew, Reference&& reference) {
  switch (sew) {
    case 3:
      return reference(std::uint8_t{}, F16{}, F16{});
    case 4:
      return reference(std::uint16_t{}, F16{}, F32{});
    case 5:
      return reference(std::uint32_t{}, F32{}, F64{});
    default:
      return reference(std::uint64_t{}, F64{}, F64{});
  }
}

template <typename T>
using Sig = std::make_signed_t<T>;

// N is the integer type and F the format of SEW, W the format of twice SEW.
#define D1_REFERENCE(expression)                                     \
  [](C& context, unsigned sew, U a, U, U) -> U {                     \
    return by_width(sew, [&](auto integer, auto format, auto wide) { \
      using N = decltype(integer);                                   \
      using F = decltype(format);                                    \
      using W = decltype(wide);                                      \
      (void)N{}, (void)F{}, (void)W{};                               \
      return static_cast<U>(expression);                             \
    });                                                              \
  }
#define D1_CASE(name, to, from, least, most, expression) \
  { #name, exec::name, Width::to, Width::from, First::None, least, most, D1_REFERENCE(expression) }

}  // namespace

std::vector<FloatCase> conversion_cases() {
  return {
      D1_CASE(vfcvt_x_f_v, Sew, Sew, 4, 6,
              (to_integer_reference<F, Sig<N>>(context, a, Round::Frm))),
      D1_CASE(vfcvt_xu_f_v, Sew, Sew, 4, 6, (to_integer_reference<F, N>(context, a, Round::Frm))),
      D1_CASE(vfcvt_rtz_x_f_v, Sew, Sew, 4, 6,
              (to_integer_reference<F, Sig<N>>(context, a, Round::Rtz))),
      D1_CASE(vfcvt_rtz_xu_f_v, Sew, Sew, 4, 6,
              (to_integer_reference<F, N>(context, a, Round::Rtz))),
      D1_CASE(vfwcvt_x_f_v, TwiceSew, Sew, 4, 5,
              (to_integer_reference<F, Sig<BitsOf<W>>>(context, a, Round::Frm))),
      D1_CASE(vfwcvt_xu_f_v, TwiceSew, Sew, 4, 5,
              (to_integer_reference<F, BitsOf<W>>(context, a, Round::Frm))),
      D1_CASE(vfwcvt_rtz_x_f_v, TwiceSew, Sew, 4, 5,
              (to_integer_reference<F, Sig<BitsOf<W>>>(context, a, Round::Rtz))),
      D1_CASE(vfwcvt_rtz_xu_f_v, TwiceSew, Sew, 4, 5,
              (to_integer_reference<F, BitsOf<W>>(context, a, Round::Rtz))),
      D1_CASE(vfncvt_x_f_w, Sew, TwiceSew, 3, 5,
              (to_integer_reference<W, Sig<N>>(context, a, Round::Frm))),
      D1_CASE(vfncvt_xu_f_w, Sew, TwiceSew, 3, 5,
              (to_integer_reference<W, N>(context, a, Round::Frm))),
      D1_CASE(vfncvt_rtz_x_f_w, Sew, TwiceSew, 3, 5,
              (to_integer_reference<W, Sig<N>>(context, a, Round::Rtz))),
      D1_CASE(vfncvt_rtz_xu_f_w, Sew, TwiceSew, 3, 5,
              (to_integer_reference<W, N>(context, a, Round::Rtz))),
      D1_CASE(vfcvt_f_x_v, Sew, Sew, 4, 6, (from_integer_reference<F, Sig<N>>(context, a))),
      D1_CASE(vfcvt_f_xu_v, Sew, Sew, 4, 6, (from_integer_reference<F, N>(context, a))),
      D1_CASE(vfwcvt_f_x_v, TwiceSew, Sew, 3, 5, (from_integer_reference<W, Sig<N>>(context, a))),
      D1_CASE(vfwcvt_f_xu_v, TwiceSew, Sew, 3, 5, (from_integer_reference<W, N>(context, a))),
      D1_CASE(vfncvt_f_x_w, Sew, TwiceSew, 4, 5,
              (from_integer_reference<F, Sig<BitsOf<W>>>(context, a))),
      D1_CASE(vfncvt_f_xu_w, Sew, TwiceSew, 4, 5,
              (from_integer_reference<F, BitsOf<W>>(context, a))),
      D1_CASE(vfncvt_f_f_w, Sew, TwiceSew, 4, 5, (narrow_reference<F, W>(context, a))),
      D1_CASE(vfncvt_rod_f_f_w, Sew, TwiceSew, 4, 5, (odd_reference<F, W>(context, a))),
      {"vfwcvt_f_f_v", exec::vfwcvt_f_f_v, Width::TwiceSew, Width::Sew, First::None, 4, 5,
       [](C& context, unsigned sew, U a, U, U) -> U {
         return sew == 4 ? U{widened<F32, F16>(context, a)} : U{widened<F64, F32>(context, a)};
       }},
      {"vfwcvtbf16_f_f_v", exec::vfwcvtbf16_f_f_v, Width::TwiceSew, Width::Sew, First::None, 4, 4,
       [](C& context, unsigned, U a, U, U) -> U { return widened<F32, BF16>(context, a); }},
      {"vfncvtbf16_f_f_w", exec::vfncvtbf16_f_f_w, Width::Sew, Width::TwiceSew, First::None, 4, 4,
       [](C& context, unsigned, U a, U, U) -> U {
         return narrow_reference<BF16, F32>(context, a);
       }},
  };
}

}  // namespace d1::isa::test
