// SPDX-License-Identifier: Apache-2.0
#include "reference.hpp"

#include <algorithm>

namespace d1::isa::reference {
namespace {

[[nodiscard]] mpz_class power_of_two(long exponent) {
  return mpz_class{1} << static_cast<mp_bitcnt_t>(exponent);
}

[[nodiscard]] mpz_class big(std::uint64_t value) {
  return mpz_class{static_cast<unsigned long>(value)};
}

// The exponent of the leading bit.
[[nodiscard]] long leading(const Value& value) {
  return value.exponent + static_cast<long>(mpz_sizeinbase(value.magnitude.get_mpz_t(), 2)) - 1;
}

struct Multiple {
  mpz_class count;
  bool inexact;
};

// |value| as a multiple of 2^quantum.
[[nodiscard]] Multiple quantize(Mode mode, const Value& value, long quantum) {
  if (value.exponent >= quantum)
    return {value.magnitude * power_of_two(value.exponent - quantum), false};
  const mpz_class unit = power_of_two(quantum - value.exponent);
  mpz_class count = value.magnitude / unit;
  const mpz_class rest = value.magnitude % unit;
  if (rest == 0) return {count, false};
  const int half = cmp(mpz_class{2 * rest}, unit);
  const bool odd = mpz_odd_p(count.get_mpz_t()) != 0;
  bool up = false;
  switch (mode) {
    case Mode::Rne:
      up = half > 0 || (half == 0 && odd);
      break;
    case Mode::Rtz:
      up = false;
      break;
    case Mode::Rdn:
      up = value.negative;
      break;
    case Mode::Rup:
      up = !value.negative;
      break;
    case Mode::Rmm:
      up = half >= 0;
      break;
    case Mode::Odd:
      up = !odd;
      break;
  }
  if (up) count += 1;
  return {count, true};
}

[[nodiscard]] std::uint64_t signed_bits(Format format, bool negative, std::uint64_t bits) {
  return negative ? bits | format.sign() : bits;
}

[[nodiscard]] Result nan_result(Format format, bool invalid) {
  return {format.nan(), invalid ? unsigned{kNv} : 0u};
}

[[nodiscard]] mpz_class signed_magnitude(const Value& value) {
  return value.negative ? mpz_class{-value.magnitude} : value.magnitude;
}

// a + b of zeros and finite values.
[[nodiscard]] Result sum(Format format, Mode mode, const Value& a, const Value& b) {
  const long exponent = std::min(a.exponent, b.exponent);
  const mpz_class total = signed_magnitude(a) * power_of_two(a.exponent - exponent) +
                          signed_magnitude(b) * power_of_two(b.exponent - exponent);
  if (total != 0) return round(format, mode, {Kind::Finite, total < 0, abs(total), exponent});
  const bool both_zero = a.kind == Kind::Zero && b.kind == Kind::Zero;
  const bool negative = both_zero && a.negative == b.negative ? a.negative : mode == Mode::Rdn;
  return {signed_bits(format, negative, 0), 0};
}

// -1, 0, 1 for numbers, infinities among them.
[[nodiscard]] int order(const Value& a, const Value& b) {
  const auto rank = [](const Value& v) {
    return v.kind == Kind::Infinite ? (v.negative ? -1 : 1) : 0;
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b) ? -1 : 1;
  if (rank(a) != 0) return 0;
  const long exponent = std::min(a.exponent, b.exponent);
  return sgn(mpz_class{signed_magnitude(a) * power_of_two(a.exponent - exponent) -
                       signed_magnitude(b) * power_of_two(b.exponent - exponent)});
}

[[nodiscard]] Result extremum(Format format, std::uint64_t a, std::uint64_t b, int wanted) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  const unsigned flags = x.kind == Kind::Signaling || y.kind == Kind::Signaling ? kNv : 0;
  if (x.nan() && y.nan()) return {format.nan(), flags};
  if (x.nan()) return {b, flags};
  if (y.nan()) return {a, flags};
  int compared = order(x, y);
  if (compared == 0) compared = static_cast<int>(y.negative) - static_cast<int>(x.negative);
  return {compared == wanted ? a : b, flags};
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Result& result) {
  return out << std::hex << "0x" << result.bits << " flags 0x" << result.flags << std::dec;
}

Value decode(Format format, std::uint64_t bits) {
  const bool negative = (bits & format.sign()) != 0;
  const std::uint64_t rest = bits & ~format.sign();
  const std::uint64_t fraction = rest % (std::uint64_t{1} << format.fraction_bits);
  const auto field = static_cast<long>(rest >> format.fraction_bits);
  if (rest == format.infinity()) return {Kind::Infinite, negative, 0, 0};
  if (rest > format.infinity())
    return {fraction >> (format.fraction_bits - 1) ? Kind::Quiet : Kind::Signaling, negative, 0, 0};
  const long exponent = format.smallest_exponent() - format.fraction_bits;
  if (rest == 0) return {Kind::Zero, negative, 0, exponent};
  if (field == 0) return {Kind::Finite, negative, big(fraction), exponent};
  return {Kind::Finite, negative, big(fraction) + power_of_two(format.fraction_bits),
          exponent + field - 1};
}

Result round(Format format, Mode mode, const Value& value) {
  const long wide_quantum = leading(value) - (format.precision() - 1);
  const long quantum =
      std::max<long>(wide_quantum, format.smallest_exponent() - (format.precision() - 1));
  const Multiple rounded = quantize(mode, value, quantum);
  const Multiple unbounded = quantize(mode, value, wide_quantum);

  const Value result{Kind::Finite, value.negative, rounded.count, quantum};
  if (rounded.count != 0 && leading(result) > format.largest_exponent()) {
    const bool to_infinity = mode == Mode::Rne || mode == Mode::Rmm ||
                             (mode == Mode::Rup && !value.negative) ||
                             (mode == Mode::Rdn && value.negative);
    return {signed_bits(format, value.negative, format.infinity() - (to_infinity ? 0 : 1)),
            kOf | kNx};
  }
  unsigned flags = rounded.inexact ? kNx : 0;
  const bool tiny =
      leading({Kind::Finite, false, unbounded.count, wide_quantum}) < format.smallest_exponent();
  if (tiny && rounded.inexact) flags |= kUf;
  const mpz_class hidden = power_of_two(format.fraction_bits);
  std::uint64_t bits = 0;
  if (rounded.count < hidden) {
    bits = rounded.count.get_ui();
  } else {
    const long top = leading(result);
    const mpz_class fraction =
        rounded.count / power_of_two(top - quantum - format.fraction_bits) - hidden;
    const long field = top - format.smallest_exponent() + 1;
    bits = (static_cast<std::uint64_t>(field) << format.fraction_bits) | fraction.get_ui();
  }
  return {signed_bits(format, value.negative, bits), flags};
}

Result multiply_add(Format format, Mode mode, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  const Value z = decode(format, c);
  const bool negative = x.negative != y.negative;
  const bool bad_product = (x.kind == Kind::Infinite && y.kind == Kind::Zero) ||
                           (x.kind == Kind::Zero && y.kind == Kind::Infinite);
  if (x.kind == Kind::Signaling || y.kind == Kind::Signaling || z.kind == Kind::Signaling ||
      bad_product)
    return nan_result(format, true);
  if (x.nan() || y.nan() || z.nan()) return nan_result(format, false);
  if (x.kind == Kind::Infinite || y.kind == Kind::Infinite) {
    if (z.kind == Kind::Infinite && z.negative != negative) return nan_result(format, true);
    return {signed_bits(format, negative, format.infinity()), 0};
  }
  if (z.kind == Kind::Infinite) return {c, 0};
  const bool zero = x.kind == Kind::Zero || y.kind == Kind::Zero;
  return sum(format, mode,
             {zero ? Kind::Zero : Kind::Finite, negative, x.magnitude * y.magnitude,
              x.exponent + y.exponent},
             z);
}

Result add(Format format, Mode mode, std::uint64_t a, std::uint64_t b) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  if (x.nan() || y.nan())
    return nan_result(format, x.kind == Kind::Signaling || y.kind == Kind::Signaling);
  if (x.kind == Kind::Infinite && y.kind == Kind::Infinite && x.negative != y.negative)
    return nan_result(format, true);
  if (x.kind == Kind::Infinite) return {a, 0};
  if (y.kind == Kind::Infinite) return {b, 0};
  return sum(format, mode, x, y);
}

Result multiply(Format format, Mode mode, std::uint64_t a, std::uint64_t b) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  const bool negative = x.negative != y.negative;
  if (x.nan() || y.nan())
    return nan_result(format, x.kind == Kind::Signaling || y.kind == Kind::Signaling);
  if (x.kind == Kind::Infinite || y.kind == Kind::Infinite) {
    if (x.kind == Kind::Zero || y.kind == Kind::Zero) return nan_result(format, true);
    return {signed_bits(format, negative, format.infinity()), 0};
  }
  if (x.kind == Kind::Zero || y.kind == Kind::Zero) return {signed_bits(format, negative, 0), 0};
  return round(format, mode,
               {Kind::Finite, negative, x.magnitude * y.magnitude, x.exponent + y.exponent});
}

Result divide(Format format, Mode mode, std::uint64_t a, std::uint64_t b) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  const bool negative = x.negative != y.negative;
  if (x.nan() || y.nan())
    return nan_result(format, x.kind == Kind::Signaling || y.kind == Kind::Signaling);
  if (x.kind == y.kind && x.kind != Kind::Finite) return nan_result(format, true);
  if (x.kind == Kind::Infinite) return {signed_bits(format, negative, format.infinity()), 0};
  if (y.kind == Kind::Infinite || x.kind == Kind::Zero)
    return {signed_bits(format, negative, 0), 0};
  if (y.kind == Kind::Zero) return {signed_bits(format, negative, format.infinity()), kDz};
  constexpr long kExtra = 160;
  const mpz_class numerator = x.magnitude * power_of_two(kExtra);
  mpz_class quotient = 2 * (numerator / y.magnitude);
  if (numerator % y.magnitude != 0) quotient += 1;
  return round(format, mode,
               {Kind::Finite, negative, quotient, x.exponent - y.exponent - kExtra - 1});
}

Result square_root(Format format, Mode mode, std::uint64_t a) {
  const Value x = decode(format, a);
  if (x.nan()) return nan_result(format, x.kind == Kind::Signaling);
  if (x.kind == Kind::Zero) return {a, 0};
  if (x.negative) return nan_result(format, true);
  if (x.kind == Kind::Infinite) return {a, 0};
  const long extra = 160 + (x.exponent % 2 != 0 ? 1 : 0);
  const mpz_class radicand = x.magnitude * power_of_two(extra);
  const mpz_class exact = sqrt(radicand);
  mpz_class root = 2 * exact;
  if (exact * exact != radicand) root += 1;
  return round(format, mode, {Kind::Finite, false, root, (x.exponent - extra) / 2 - 1});
}

Result minimum(Format format, std::uint64_t a, std::uint64_t b) {
  return extremum(format, a, b, -1);
}
Result maximum(Format format, std::uint64_t a, std::uint64_t b) {
  return extremum(format, a, b, 1);
}

Result equal(Format format, std::uint64_t a, std::uint64_t b) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  if (x.nan() || y.nan())
    return {0, x.kind == Kind::Signaling || y.kind == Kind::Signaling ? unsigned{kNv} : 0u};
  return {order(x, y) == 0, 0};
}
Result less(Format format, std::uint64_t a, std::uint64_t b) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  if (x.nan() || y.nan()) return {0, kNv};
  return {order(x, y) < 0, 0};
}
Result less_equal(Format format, std::uint64_t a, std::uint64_t b) {
  const Value x = decode(format, a);
  const Value y = decode(format, b);
  if (x.nan() || y.nan()) return {0, kNv};
  return {order(x, y) <= 0, 0};
}

Result convert(Format to, Format from, Mode mode, std::uint64_t a) {
  const Value x = decode(from, a);
  if (x.nan()) return nan_result(to, x.kind == Kind::Signaling);
  if (x.kind == Kind::Infinite) return {signed_bits(to, x.negative, to.infinity()), 0};
  if (x.kind == Kind::Zero) return {signed_bits(to, x.negative, 0), 0};
  return round(to, mode, x);
}

Result to_integer(Format format, Mode mode, std::uint64_t a, int width, bool is_signed) {
  const Value x = decode(format, a);
  const mpz_class most = power_of_two(is_signed ? width - 1 : width) - 1;
  const mpz_class least = is_signed ? mpz_class{-power_of_two(width - 1)} : mpz_class{0};
  const auto low_bits = [&](const mpz_class& value) {
    mpz_class wrapped;
    mpz_fdiv_r_2exp(wrapped.get_mpz_t(), value.get_mpz_t(), static_cast<mp_bitcnt_t>(width));
    return static_cast<std::uint64_t>(wrapped.get_ui());
  };
  if (x.nan() || (x.kind == Kind::Infinite && !x.negative)) return {low_bits(most), kNv};
  if (x.kind == Kind::Infinite) return {low_bits(least), kNv};
  const Multiple rounded = quantize(mode, x, 0);
  const mpz_class value = x.negative ? mpz_class{-rounded.count} : rounded.count;
  if (value > most) return {low_bits(most), kNv};
  if (value < least) return {low_bits(least), kNv};
  return {low_bits(value), rounded.inexact ? unsigned{kNx} : 0u};
}

Result from_integer(Format format, Mode mode, const mpz_class& value) {
  if (value == 0) return {0, 0};
  return round(format, mode, {Kind::Finite, value < 0, abs(value), 0});
}

}  // namespace d1::isa::reference
