// SPDX-License-Identifier: Apache-2.0
// Conversions between CFloat8, CFloat16, BF16 and FP32: integer arithmetic throughout, so nothing
// of the host's floating-point environment takes part. Written without branches on data, so that
// the compiler can turn the loops over lanes into vector code.
#include <bit>
#include <cstring>

#include <d1/isa/xd1_numerics.hpp>

namespace d1::isa::numerics {
namespace {

constexpr std::uint32_t kSign = 0x80000000;
constexpr std::uint32_t kInfinity = 0x7f800000;
constexpr std::uint32_t kCanonicalNan = 0x7fc00000;
constexpr int kUhpBias = 31;

constexpr unsigned mantissa_bits_of(Packed packed) {
  switch (packed) {
    case Packed::Cf143:
      return 3;
    case Packed::Cf152:
      return 2;
    case Packed::Shp:
    case Packed::Uhp:
      return 10;
    case Packed::Bf16:
      return 7;
  }
  return 0;
}
constexpr unsigned exponent_bits_of(Packed packed) {
  switch (packed) {
    case Packed::Cf143:
      return 4;
    case Packed::Cf152:
    case Packed::Shp:
      return 5;
    case Packed::Uhp:
      return 6;
    case Packed::Bf16:
      return 8;
  }
  return 0;
}

template <Packed kPacked>
using Code = std::conditional_t<(kPacked <= Packed::Cf152), std::uint8_t, std::uint16_t>;

// What a conversion needs of a PackedFormat, worked out once an instruction.
struct Scale {
  int bias;
  int denormal;  // D of xd1.md: 0 paper, 1 IEEE
};
constexpr Scale scale_of(PackedFormat format) noexcept {
  return {format.packed == Packed::Uhp ? kUhpBias : format.bias & 63,
          format.denormals == DenormalRule::Ieee ? 1 : 0};
}

// A code as FP32 bits. Exact.
template <Packed kPacked>
inline std::uint32_t widen(std::uint32_t code, Scale scale) noexcept {
  constexpr unsigned kMantissa = mantissa_bits_of(kPacked);
  constexpr unsigned kExponent = exponent_bits_of(kPacked);
  constexpr std::uint32_t kMagnitude = (1u << (kMantissa + kExponent)) - 1;
  const std::uint32_t magnitude = code & kMagnitude;
  const std::uint32_t sign = (code & ~kMagnitude) << (31 - kMantissa - kExponent);
  const std::uint32_t normal =
      (magnitude << (23 - kMantissa)) + (static_cast<std::uint32_t>(127 - scale.bias) << 23);
  const bool is_normal = magnitude >> kMantissa != 0;
  if constexpr (kPacked == Packed::Uhp) {
    const std::uint32_t special = magnitude == 0xfc00 ? kInfinity : kCanonicalNan;
    return magnitude >= 0xfc00 ? special : is_normal ? normal : 0;
  } else {
    // Small integers are exact in FP32 under any rounding mode.
    const auto count =
        std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<int>(magnitude)));
    const int exponent = scale.denormal - scale.bias - static_cast<int>(kMantissa);
    const std::uint32_t denormal =
        magnitude == 0 ? 0 : count + (static_cast<std::uint32_t>(exponent) << 23);
    return sign | (is_normal ? normal : denormal);
  }
}

// lo is `code`, and |v| lies fraction / 2^32 of the way to the next code.
template <Rounding kRounding>
inline std::uint32_t round_up(std::uint32_t code, std::uint32_t fraction,
                              std::uint32_t random) noexcept {
  if constexpr (kRounding == Rounding::Stochastic) return random < fraction;
  return fraction > 0x80000000 || (fraction == 0x80000000 && (code & 1) != 0);
}

template <Rounding kRounding>
inline std::uint32_t narrow_to_bf16(std::uint32_t bits, std::uint32_t random) noexcept {
  const std::uint32_t magnitude = bits & ~kSign;
  std::uint32_t code = magnitude >> 16;
  code += round_up<kRounding>(code, magnitude << 16, random);
  code = code > 0x7f7f ? 0x7f7f : code;
  code = magnitude == kInfinity ? 0x7f80 : code;
  return magnitude > kInfinity ? 0x7fc0 : code | bits >> 31 << 15;
}

// Below the smallest normal number: the code under |v|, and how far |v| is on the way to the next.
template <Packed kPacked>
inline void find_denormal(std::uint32_t mantissa, int exponent, Scale scale, std::uint32_t& code,
                          std::uint32_t& fraction) noexcept {
  constexpr unsigned kMantissa = mantissa_bits_of(kPacked);
  const int shift = 23 - static_cast<int>(kMantissa) - exponent + scale.denormal;
  // In denormal steps, 32 bits behind the point. What a shift beyond 32 loses is far below half.
  const std::uint64_t steps = (std::uint64_t{mantissa} << 32) >> (shift > 63 ? 63 : shift);
  code = static_cast<std::uint32_t>(steps >> 32);
  fraction = static_cast<std::uint32_t>(steps);
  // The gap of the paper's rule: from the last denormal to the first normal number.
  constexpr std::uint32_t kLast = (1u << kMantissa) - 1;
  if (scale.denormal == 0 && code >= kLast) {
    constexpr std::uint64_t kWidth = (1u << kMantissa) + 1;
    fraction = static_cast<std::uint32_t>((steps - (std::uint64_t{kLast} << 32)) / kWidth);
    code = kLast;
  }
}

// FP32 bits to a code of a CFloat format.
template <Packed kPacked, Rounding kRounding>
inline std::uint32_t narrow(std::uint32_t bits, Scale scale, std::uint32_t random) noexcept {
  if constexpr (kPacked == Packed::Bf16) {
    return narrow_to_bf16<kRounding>(bits, random);
  } else {
    constexpr unsigned kMantissa = mantissa_bits_of(kPacked);
    constexpr unsigned kMagnitudeBits = kMantissa + exponent_bits_of(kPacked);
    constexpr bool kUnsigned = kPacked == Packed::Uhp;
    constexpr std::uint32_t kLargest = kUnsigned ? 0xfbff : (1u << kMagnitudeBits) - 1;
    const std::uint32_t magnitude = bits & ~kSign;
    const auto field = static_cast<int>(magnitude >> 23);
    const std::uint32_t mantissa = (magnitude & 0x7fffff) | (field != 0 ? 0x800000 : 0);
    const int exponent = (field > 1 ? field : 1) - 127 + scale.bias;

    // As if it were normal; also right for exponent 0, where the code then is below 1 << kMantissa.
    std::uint32_t code =
        (static_cast<std::uint32_t>(exponent - 1) << kMantissa) + (mantissa >> (23 - kMantissa));
    std::uint32_t fraction = mantissa << (9 + kMantissa);
    if constexpr (!kUnsigned)
      if (exponent < 1) find_denormal<kPacked>(mantissa, exponent, scale, code, fraction);
    code += round_up<kRounding>(code, fraction, random);
    if constexpr (kUnsigned) {
      code = exponent < 0 || code < 1u << kMantissa ? 0 : code;
      code = code > kLargest ? kLargest : code;
      code = magnitude == kInfinity ? 0xfc00 : code;
      return magnitude > kInfinity ? 0xfe00 : (bits & kSign) != 0 ? 0 : code;
    }
    code = code > kLargest ? kLargest : code;
    return code | bits >> 31 << kMagnitudeBits;
  }
}

template <Packed kPacked>
void widen_all(Scale scale, const void* packed, void* f32) noexcept {
  constexpr unsigned kCount = elements_of(kPacked);
  Code<kPacked> codes[kCount];
  std::uint32_t wide[kCount];
  std::memcpy(codes, packed, sizeof codes);
  for (unsigned i = 0; i < kCount; ++i) wide[i] = widen<kPacked>(codes[i], scale);
  std::memcpy(f32, wide, sizeof wide);
}

template <Packed kPacked, Rounding kRounding>
void narrow_all(Scale scale, const std::uint32_t* wide, void* packed, std::uint64_t seed) noexcept {
  constexpr unsigned kCount = elements_of(kPacked);
  Code<kPacked> codes[kCount];
  for (unsigned i = 0; i < kCount; ++i) {
    const std::uint32_t random = kRounding == Rounding::Stochastic ? random_of(seed, i) : 0;
    codes[i] = static_cast<Code<kPacked>>(narrow<kPacked, kRounding>(wide[i], scale, random));
  }
  std::memcpy(packed, codes, sizeof codes);
}

template <Rounding kRounding>
void narrow_by_format(PackedFormat format, const std::uint32_t* wide, void* packed,
                      std::uint64_t seed) noexcept {
  const Scale scale = scale_of(format);
  switch (format.packed) {
    case Packed::Cf143:
      return narrow_all<Packed::Cf143, kRounding>(scale, wide, packed, seed);
    case Packed::Cf152:
      return narrow_all<Packed::Cf152, kRounding>(scale, wide, packed, seed);
    case Packed::Shp:
      return narrow_all<Packed::Shp, kRounding>(scale, wide, packed, seed);
    case Packed::Uhp:
      return narrow_all<Packed::Uhp, kRounding>(scale, wide, packed, seed);
    case Packed::Bf16:
      return narrow_all<Packed::Bf16, kRounding>(scale, wide, packed, seed);
  }
}

template <Rounding kRounding>
void round_to_bf16(const std::uint32_t* wide, void* bf16, unsigned count,
                   std::uint64_t seed) noexcept {
  std::uint16_t codes[64];
  for (unsigned i = 0; i < count; ++i) {
    const std::uint32_t random = kRounding == Rounding::Stochastic ? random_of(seed, i) : 0;
    codes[i] = static_cast<std::uint16_t>(narrow_to_bf16<kRounding>(wide[i], random));
  }
  std::memcpy(bf16, codes, count * sizeof codes[0]);
}

}  // namespace

void widen_to_f32(PackedFormat format, const void* packed, void* f32) noexcept {
  const Scale scale = scale_of(format);
  switch (format.packed) {
    case Packed::Cf143:
      return widen_all<Packed::Cf143>(scale, packed, f32);
    case Packed::Cf152:
      return widen_all<Packed::Cf152>(scale, packed, f32);
    case Packed::Shp:
      return widen_all<Packed::Shp>(scale, packed, f32);
    case Packed::Uhp:
      return widen_all<Packed::Uhp>(scale, packed, f32);
    case Packed::Bf16: {
      std::uint16_t codes[32];
      std::uint32_t wide[32];
      std::memcpy(codes, packed, sizeof codes);
      for (unsigned i = 0; i < 32; ++i) wide[i] = static_cast<std::uint32_t>(codes[i]) << 16;
      std::memcpy(f32, wide, sizeof wide);
    }
  }
}

void widen_to_bf16(PackedFormat format, const void* packed, void* bf16, Rounding rounding,
                   std::uint64_t seed) noexcept {
  std::uint32_t wide[64];
  widen_to_f32(format, packed, wide);
  const unsigned count = elements_of(format.packed);
  if (rounding == Rounding::Nearest)
    round_to_bf16<Rounding::Nearest>(wide, bf16, count, seed);
  else
    round_to_bf16<Rounding::Stochastic>(wide, bf16, count, seed);
}

void narrow_from_f32(PackedFormat format, const void* f32, void* packed, Rounding rounding,
                     std::uint64_t seed) noexcept {
  std::uint32_t wide[64];
  std::memcpy(wide, f32, elements_of(format.packed) * sizeof wide[0]);
  if (rounding == Rounding::Nearest)
    narrow_by_format<Rounding::Nearest>(format, wide, packed, seed);
  else
    narrow_by_format<Rounding::Stochastic>(format, wide, packed, seed);
}

void narrow_from_bf16(PackedFormat format, const void* bf16, void* packed, Rounding rounding,
                      std::uint64_t seed) noexcept {
  const unsigned count = elements_of(format.packed);
  std::uint16_t codes[64];
  std::uint32_t wide[64];
  std::memcpy(codes, bf16, count * sizeof codes[0]);
  for (unsigned i = 0; i < count; ++i) wide[i] = static_cast<std::uint32_t>(codes[i]) << 16;
  narrow_from_f32(format, wide, packed, rounding, seed);
}

}  // namespace d1::isa::numerics
