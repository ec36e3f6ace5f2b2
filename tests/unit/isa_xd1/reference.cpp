// SPDX-License-Identifier: Apache-2.0
#include "reference.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace d1::isa::reference {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr std::uint32_t kNan = 0x7fc00000;
constexpr std::uint32_t kInfinity = 0x7f800000;

double value_of(const Format& format, std::uint32_t magnitude) {
  const int exponent = static_cast<int>(magnitude >> format.mantissa_bits);
  const double fraction =
      std::ldexp(magnitude & ((1u << format.mantissa_bits) - 1), -format.mantissa_bits);
  if (exponent == 0)
    return format.has_denormals ? std::ldexp(fraction, format.denormal_exponent - format.bias)
                                : 0.0;
  return std::ldexp(1 + fraction, exponent - format.bias);
}

// floor(2^32 * part / whole) for 0 <= part < whole, exactly.
std::uint32_t share(double part, double whole) {
  if (part == 0) return 0;
  int part_exponent = 0, whole_exponent = 0;
  const auto numerator =
      static_cast<std::uint64_t>(std::ldexp(std::frexp(part, &part_exponent), 53));
  const auto denominator =
      static_cast<std::uint64_t>(std::ldexp(std::frexp(whole, &whole_exponent), 53));
  const int shift = 32 + part_exponent - whole_exponent;
  if (shift >= 0) return static_cast<std::uint32_t>((Wide{numerator} << shift) / denominator);
  if (-shift > 60) return 0;
  return static_cast<std::uint32_t>(Wide{numerator} / (Wide{denominator} << -shift));
}

}  // namespace

Format cf143(int bias, bool ieee) { return {4, 3, true, false, true, bias, ieee ? 1 : 0}; }
Format cf152(int bias, bool ieee) { return {5, 2, true, false, true, bias, ieee ? 1 : 0}; }
Format shp(int bias, bool ieee) { return {5, 10, true, false, true, bias, ieee ? 1 : 0}; }
Format uhp() { return {6, 10, false, true, false, 31, 1}; }
Format bf16() { return {8, 7, true, true, true, 127, 1}; }

std::uint32_t widen(const Format& format, std::uint32_t code) {
  const int bits = format.exponent_bits + format.mantissa_bits;
  const std::uint32_t magnitude = code & ((1u << bits) - 1);
  const bool negative = format.has_sign && (code >> bits & 1) != 0;
  const std::uint32_t top = ((1u << format.exponent_bits) - 1) << format.mantissa_bits;
  if (format.has_special && magnitude > top) return kNan;
  const std::uint32_t sign = negative ? 0x80000000 : 0;
  if (format.has_special && magnitude == top) return sign | kInfinity;
  return sign | std::bit_cast<std::uint32_t>(static_cast<float>(value_of(format, magnitude)));
}

Narrower::Narrower(const Format& format) : format_(format) {
  const std::uint32_t codes = 1u << (format.exponent_bits + format.mantissa_bits);
  largest_ = codes - 1 - (format.has_special ? 1u << format.mantissa_bits : 0);
  for (std::uint32_t code = 0; code <= largest_ + 1; ++code)
    magnitudes_.push_back(value_of(format, code));
}

std::uint32_t Narrower::narrow(std::uint32_t f32, Mode mode, std::uint32_t random) const {
  const auto value = std::bit_cast<float>(f32);
  const std::uint32_t sign_bit = 1u << (format_.exponent_bits + format_.mantissa_bits);
  const std::uint32_t sign = f32 >> 31 != 0 ? sign_bit : 0;
  const std::uint32_t infinity = largest_ + 1;
  if (std::isnan(value)) {
    if (format_.has_special) return infinity | 1u << (format_.mantissa_bits - 1);
    return sign | largest_;
  }
  if (!format_.has_sign && sign != 0) return 0;
  if (std::isinf(value)) return sign | (format_.has_special ? infinity : largest_);
  const double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude >= magnitudes_[largest_]) return sign | largest_;

  double low = 0, high = 0;
  std::uint32_t code = 0;
  const std::uint32_t first_normal = 1u << format_.mantissa_bits;
  if (!format_.has_denormals && magnitude < magnitudes_[first_normal]) {
    // Rounded to the same number of bits as if exponents went on, then flushed.
    if (magnitude < magnitudes_[first_normal] / 2) return 0;
    const double step = (magnitudes_[first_normal + 1] - magnitudes_[first_normal]) / 2;
    low = std::floor(magnitude / step) * step;
    high = low + step;
    code = static_cast<std::uint32_t>(low / step);
  } else {
    const auto above = std::upper_bound(magnitudes_.begin(), magnitudes_.end(), magnitude);
    code = static_cast<std::uint32_t>(above - magnitudes_.begin()) - 1;
    low = magnitudes_[code];
    high = magnitudes_[code + 1];
  }
  bool up = false;
  if (mode == Mode::Stochastic) {
    up = random < share(magnitude - low, high - low);
  } else {
    const double below = magnitude - low, above = high - magnitude;
    up = below > above || (below == above && code % 2 != 0);
  }
  if (!format_.has_denormals && magnitude < magnitudes_[first_normal])
    return up && high == magnitudes_[first_normal] ? first_normal : 0;
  return sign | std::min(code + (up ? 1 : 0), largest_);
}

std::uint32_t Narrower::nearest(std::uint32_t f32) const { return narrow(f32, Mode::Nearest, 0); }
std::uint32_t Narrower::stochastic(std::uint32_t f32, std::uint32_t random) const {
  return narrow(f32, Mode::Stochastic, random);
}

namespace {

struct Exact {
  bool negative;
  std::uint64_t mantissa;
  int exponent;  // value = mantissa x 2^exponent
};

Exact exact_of(std::uint32_t bits) {
  const std::uint32_t field = bits >> 23 & 255;
  return {bits >> 31 != 0, field == 0 ? 0 : (bits & 0x7fffff) | 0x800000,
          static_cast<int>(field) - 150};
}

bool is_nan(std::uint32_t bits) { return (bits & 0x7fffffff) > kInfinity; }
bool is_infinite(std::uint32_t bits) { return (bits & 0x7fffffff) == kInfinity; }
bool is_zero(std::uint32_t bits) { return (bits & kInfinity) == 0; }  // denormals count as zero

// What lies below the scale's last bit is kept as a one in it: enough to round correctly.
Wide at_scale(const Exact& number, int exponent) {
  if (number.mantissa == 0) return 0;
  const int shift = number.exponent - exponent;
  if (shift >= 0) return Wide{number.mantissa} << shift;
  if (-shift > 63) return 1;
  const std::uint64_t kept = number.mantissa >> -shift;
  return Wide{kept | (kept << -shift != number.mantissa ? 1u : 0u)};
}

int bit_length(Wide value) {
  int length = 0;
  for (; value != 0; value >>= 1) ++length;
  return length;
}

std::uint32_t round_to_f32(bool negative, Wide magnitude, int exponent) {
  const std::uint32_t sign = negative ? 0x80000000 : 0;
  const int extra = bit_length(magnitude) - 24;
  if (extra > 0) {
    const Wide rest = magnitude & ((Wide{1} << extra) - 1), half = Wide{1} << (extra - 1);
    magnitude >>= extra;
    exponent += extra;
    if (rest > half || (rest == half && (magnitude & 1) != 0)) ++magnitude;
  } else {
    magnitude <<= -extra;
    exponent += extra;
  }
  if (magnitude >> 24 != 0) {
    magnitude >>= 1;
    ++exponent;
  }
  const int field = exponent + 150;
  if (field >= 255) return sign | kInfinity;
  if (field <= 0) return sign;
  return sign | static_cast<std::uint32_t>(field) << 23 |
         (static_cast<std::uint32_t>(magnitude) & 0x7fffff);
}

}  // namespace

std::uint32_t fma(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  if (is_nan(a) || is_nan(b) || is_nan(c)) return kNan;
  const std::uint32_t product_sign = (a ^ b) & 0x80000000;
  if (is_infinite(a) || is_infinite(b)) {
    if (is_zero(a) || is_zero(b)) return kNan;
    if (is_infinite(c) && (c & 0x80000000) != product_sign) return kNan;
    return product_sign | kInfinity;
  }
  if (is_infinite(c)) return c;
  const Exact x = exact_of(a), y = exact_of(b), addend = exact_of(c);
  const Exact product{product_sign != 0, x.mantissa * y.mantissa, x.exponent + y.exponent};
  if (product.mantissa == 0 && addend.mantissa == 0)
    return product_sign & c;  // -0 only if both are
  if (product.mantissa == 0) return c;

  const int top = addend.mantissa == 0 ? product.exponent + 48
                                       : std::max(product.exponent + 48, addend.exponent + 24);
  const int scale = top - 120;
  const Wide p = at_scale(product, scale), q = at_scale(addend, scale);
  if (product.negative == addend.negative) return round_to_f32(product.negative, p + q, scale);
  if (p == q) return 0;
  return p > q ? round_to_f32(product.negative, p - q, scale)
               : round_to_f32(addend.negative, q - p, scale);
}

std::uint32_t random_number(std::uint64_t seed, unsigned element) {
  constexpr std::uint64_t kGamma = 11400714819323198485ull;  // 2^64 / golden ratio, odd
  std::uint64_t state = seed;
  for (unsigned i = 0; i <= element; ++i) state += kGamma;
  state ^= state >> 30;
  state *= 13787848793156543929ull;
  state ^= state >> 27;
  state *= 10723151780598845931ull;
  state ^= state >> 31;
  return static_cast<std::uint32_t>(state >> 32);
}

std::uint64_t next_seed(std::uint64_t seed) {
  for (int i = 0; i < 64; ++i) seed += 11400714819323198485ull;
  return seed;
}

}  // namespace d1::isa::reference
