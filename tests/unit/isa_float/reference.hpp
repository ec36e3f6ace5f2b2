// SPDX-License-Identifier: Apache-2.0
// Floating point from its definition, independent of the code under test: values are exact
// integers times powers of two (GMP), results the multiple of the format's quantum that the
// rounding mode picks. Slow and plain. Single-threaded, no host floating point.
#pragma once

#include <gmpxx.h>

#include <cstdint>
#include <ostream>

#include <d1/isa/hart.hpp>

namespace d1::isa::reference {

// Of the format: all that the reference knows of it.
struct Format {
  int exponent_bits;
  int fraction_bits;

  [[nodiscard]] int width() const { return 1 + exponent_bits + fraction_bits; }
  [[nodiscard]] int precision() const { return fraction_bits + 1; }
  [[nodiscard]] int largest_exponent() const { return (1 << (exponent_bits - 1)) - 1; }
  [[nodiscard]] int smallest_exponent() const { return 1 - largest_exponent(); }
  [[nodiscard]] std::uint64_t infinity() const {
    return ((std::uint64_t{1} << exponent_bits) - 1) << fraction_bits;
  }
  [[nodiscard]] std::uint64_t nan() const {
    return infinity() | std::uint64_t{1} << (fraction_bits - 1);
  }
  [[nodiscard]] std::uint64_t sign() const { return std::uint64_t{1} << (width() - 1); }
};
inline constexpr Format kHalf{5, 10}, kBrain{8, 7}, kSingle{8, 23}, kDouble{11, 52};

enum class Mode { Rne, Rtz, Rdn, Rup, Rmm, Odd };

struct Result {
  std::uint64_t bits;
  unsigned flags;
  bool operator==(const Result&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Result& result);

enum class Kind { Zero, Finite, Infinite, Quiet, Signaling };

// Finite: (negative ? -1 : 1) * magnitude * 2^exponent.
struct Value {
  Kind kind;
  bool negative;
  mpz_class magnitude;
  long exponent;

  [[nodiscard]] bool nan() const { return kind == Kind::Quiet || kind == Kind::Signaling; }
};

[[nodiscard]] Value decode(Format format, std::uint64_t bits);
// A finite value with a magnitude other than zero. To round an inexact value, pass more than two
// bits past the precision and set the last one if anything follows.
[[nodiscard]] Result round(Format format, Mode mode, const Value& value);

[[nodiscard]] Result add(Format format, Mode mode, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result multiply(Format format, Mode mode, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result divide(Format format, Mode mode, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result square_root(Format format, Mode mode, std::uint64_t a);
[[nodiscard]] Result multiply_add(Format format, Mode mode, std::uint64_t a, std::uint64_t b,
                                  std::uint64_t c);
[[nodiscard]] Result minimum(Format format, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result maximum(Format format, std::uint64_t a, std::uint64_t b);
// bits: 1 or 0.
[[nodiscard]] Result equal(Format format, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result less(Format format, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result less_equal(Format format, std::uint64_t a, std::uint64_t b);
[[nodiscard]] Result convert(Format to, Format from, Mode mode, std::uint64_t a);
// bits: the integer's low `width` bits.
[[nodiscard]] Result to_integer(Format format, Mode mode, std::uint64_t a, int width,
                                bool is_signed);
[[nodiscard]] Result from_integer(Format format, Mode mode, const mpz_class& value);

}  // namespace d1::isa::reference
