// SPDX-License-Identifier: Apache-2.0
// Element types that C++20 has no name for. They are storage: arithmetic happens in float, or in
// the matrix unit.
#pragma once

#include <bit>
#include <cstdint>

namespace d1 {

// Brain floating point: the upper half of a float. Conversion rounds to nearest, ties to even.
struct bf16 {
  std::uint16_t bits;

  bf16() = default;
  constexpr bf16(float value) : bits(round(std::bit_cast<std::uint32_t>(value))) {}
  constexpr operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

 private:
  static constexpr std::uint16_t round(std::uint32_t value) {
    if ((value & 0x7fffffff) > 0x7f800000) return 0x7fc0;  // NaN: the canonical one
    return static_cast<std::uint16_t>((value + 0x7fff + (value >> 16 & 1)) >> 16);
  }
};
static_assert(sizeof(bf16) == 2);

// CFloat codes; what they mean depends on the formats and biases of d1fmt and d1bias (Xd1), so
// they convert by whole packets, through the d1_cvt_ functions of <d1/xd1.h>.
struct cfloat8 {
  std::uint8_t bits;
};
struct cfloat16 {
  std::uint16_t bits;
};

}  // namespace d1
