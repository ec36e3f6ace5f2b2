// SPDX-License-Identifier: Apache-2.0
// A bijective mixing of 64 bits (the finaliser of MurmurHash3, public domain constants): for trace
// hashes and seeded choices, not for security.
#pragma once

#include <cstdint>

namespace d1::emulator {

[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  return value ^ value >> 33;
}

}  // namespace d1::emulator
