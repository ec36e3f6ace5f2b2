// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include <d1/device/arithmetic.hpp>

#include "rounding.h"

std::uint16_t rounding_to_bf16(std::uint32_t bits) {
  return d1::bf16(std::bit_cast<float>(bits)).bits;
}

std::uint32_t rounding_from_bf16(std::uint16_t bits) {
  d1::bf16 value(0.0f);
  value.bits = bits;
  return std::bit_cast<std::uint32_t>(static_cast<float>(value));
}
