// SPDX-License-Identifier: Apache-2.0
// The binary floating-point formats, and what can be told from the bits of a value alone.
// Values travel as raw bits (F::Bits) everywhere, so that no host conversion touches a NaN.
// Pure functions of their arguments: any thread, no host floating-point state.
#pragma once

#include <cstdint>
#include <type_traits>

namespace d1::isa {

template <typename BitsType, unsigned exponent_bits, unsigned fraction_bits>
struct FloatFormat {
  using Bits = BitsType;
  static constexpr unsigned kExponentBits = exponent_bits;
  static constexpr unsigned kFractionBits = fraction_bits;   // stored
  static constexpr unsigned kPrecision = fraction_bits + 1;  // with the hidden bit
  static constexpr unsigned kWidth = 1 + exponent_bits + fraction_bits;
  static constexpr int kExponentMax = (1 << exponent_bits) - 1;  // of infinities and NaNs
  static constexpr int kBias = kExponentMax >> 1;
  static constexpr Bits kSign = static_cast<Bits>(std::uint64_t{1} << (kWidth - 1));
  static constexpr Bits kMagnitude = static_cast<Bits>(kSign - 1);
  static constexpr Bits kFraction = static_cast<Bits>((std::uint64_t{1} << fraction_bits) - 1);
  static constexpr Bits kInfinity = static_cast<Bits>(kMagnitude ^ kFraction);
  static constexpr Bits kLargest = static_cast<Bits>(kInfinity - 1);
  static constexpr Bits kQuiet = static_cast<Bits>(std::uint64_t{1} << (fraction_bits - 1));
  static constexpr Bits kNan = static_cast<Bits>(kInfinity | kQuiet);  // canonical
  static constexpr Bits kSmallestNormal = static_cast<Bits>(std::uint64_t{1} << fraction_bits);
  static_assert(kWidth == 8 * sizeof(Bits));
};

struct F16 : FloatFormat<std::uint16_t, 5, 10> {};
struct BF16 : FloatFormat<std::uint16_t, 8, 7> {};
struct F32 : FloatFormat<std::uint32_t, 8, 23> {};
struct F64 : FloatFormat<std::uint64_t, 11, 52> {};

template <typename F>
using BitsOf = typename F::Bits;

template <typename F>
[[nodiscard]] constexpr BitsOf<F> magnitude(BitsOf<F> a) noexcept {
  return static_cast<BitsOf<F>>(a & F::kMagnitude);
}
template <typename F>
[[nodiscard]] constexpr bool sign_of(BitsOf<F> a) noexcept {
  return (a & F::kSign) != 0;
}
template <typename F>
[[nodiscard]] constexpr BitsOf<F> negate(BitsOf<F> a) noexcept {
  return static_cast<BitsOf<F>>(a ^ F::kSign);
}
template <typename F>
[[nodiscard]] constexpr BitsOf<F> with_sign(BitsOf<F> a, bool sign) noexcept {
  return static_cast<BitsOf<F>>(magnitude<F>(a) | (sign ? F::kSign : 0));
}
template <typename F>
[[nodiscard]] constexpr bool is_nan(BitsOf<F> a) noexcept {
  return magnitude<F>(a) > F::kInfinity;
}
template <typename F>
[[nodiscard]] constexpr bool is_signaling(BitsOf<F> a) noexcept {
  return is_nan<F>(a) && (a & F::kQuiet) == 0;
}
template <typename F>
[[nodiscard]] constexpr bool is_infinite(BitsOf<F> a) noexcept {
  return magnitude<F>(a) == F::kInfinity;
}
template <typename F>
[[nodiscard]] constexpr bool is_zero(BitsOf<F> a) noexcept {
  return magnitude<F>(a) == 0;
}
template <typename F>
[[nodiscard]] constexpr BitsOf<F> canonical(BitsOf<F> a) noexcept {
  return is_nan<F>(a) ? F::kNan : a;
}

// The ten classes of fclass: exactly one bit is set.
template <typename F>
[[nodiscard]] constexpr std::uint16_t classify(BitsOf<F> a) noexcept {
  const bool sign = sign_of<F>(a);
  if (is_nan<F>(a)) return is_signaling<F>(a) ? 1u << 8 : 1u << 9;
  if (is_infinite<F>(a)) return sign ? 1u << 0 : 1u << 7;
  if (is_zero<F>(a)) return sign ? 1u << 3 : 1u << 4;
  if (magnitude<F>(a) < F::kSmallestNormal) return sign ? 1u << 2 : 1u << 5;
  return sign ? 1u << 1 : 1u << 6;
}

// Sign injection: the magnitude of a with a sign made from those of a and b.
template <typename F>
[[nodiscard]] constexpr BitsOf<F> sgnj(BitsOf<F> a, BitsOf<F> b) noexcept {
  return static_cast<BitsOf<F>>((a & F::kMagnitude) | (b & F::kSign));
}
template <typename F>
[[nodiscard]] constexpr BitsOf<F> sgnjn(BitsOf<F> a, BitsOf<F> b) noexcept {
  return sgnj<F>(a, negate<F>(b));
}
template <typename F>
[[nodiscard]] constexpr BitsOf<F> sgnjx(BitsOf<F> a, BitsOf<F> b) noexcept {
  return static_cast<BitsOf<F>>(a ^ (b & F::kSign));
}

}  // namespace d1::isa
