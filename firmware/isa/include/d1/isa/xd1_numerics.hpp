// SPDX-License-Identifier: Apache-2.0
// The arithmetic of Xd1 on plain memory: matrix products, CFloat conversions, shuffles of operands.
// The meaning stands in firmware/isa/xd1.md.
//
// Pure functions: nothing here knows harts. Pointers name whole 64-byte packets, at any alignment.
// Results depend neither on the host's rounding mode nor on its denormal switches, and the host's
// floating-point flags are left as they were, so all of it may be called while a guest's MXCSR is
// loaded. Several threads may call everything but select_numerics at once.
#pragma once

#include <cstdint>

namespace d1::isa::numerics {

// Implementations of the matrix products. All give the same bits.
enum class Level : std::uint8_t {
  Portable,  // any host
  Avx2,      // AVX2, FMA and F16C
  Avx512     // and AVX-512 F, BW, DQ, VL, BF16
};
[[nodiscard]] Level best_level() noexcept;      // what this host can do
[[nodiscard]] Level selected_level() noexcept;  // what is used: best_level() unless told otherwise
// For tests, before other threads call anything here; false if the host cannot do it.
bool select_numerics(Level level) noexcept;

// The numbers are those of the encodings.
enum class Packed : std::uint8_t { Cf143 = 0, Cf152 = 1, Shp = 2, Uhp = 3, Bf16 = 4 };
enum class DenormalRule : std::uint8_t {
  Paper,  // 0.m x 2^-bias
  Ieee    // 0.m x 2^(1-bias)
};
enum class Rounding : std::uint8_t { Nearest, Stochastic };

struct PackedFormat {
  Packed packed;
  DenormalRule denormals;
  std::uint8_t bias;  // 0..63; Uhp and Bf16 have a fixed one and ignore it
};

[[nodiscard]] constexpr unsigned elements_of(Packed packed) noexcept {
  return packed <= Packed::Cf152 ? 64 : 32;
}

// c[8][8] FP32 += a * b; layouts and order of k as in xd1.md section 7. c may overlap a and b.
void mma_bf16(void* c, const void* a, const void* b) noexcept;
void mma_f16(void* c, const void* a, const void* b) noexcept;
void mma_cf8(void* c, const void* a, const void* b, PackedFormat a_format,
             PackedFormat b_format) noexcept;
void mma_cf16(void* c, const void* a, const void* b, PackedFormat a_format,
              PackedFormat b_format) noexcept;

// Stochastic rounding: the number for one element, and what the seed grows by an instruction.
inline constexpr std::uint64_t kSeedGamma = 0x9e3779b97f4a7c15;
inline constexpr std::uint64_t kSeedStep = 64 * kSeedGamma;
[[nodiscard]] constexpr std::uint32_t random_of(std::uint64_t seed, unsigned element) noexcept {
  std::uint64_t z = seed + (element + std::uint64_t{1}) * kSeedGamma;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return static_cast<std::uint32_t>((z ^ z >> 31) >> 32);
}

// Conversions of one packet of packed elements. Source and result may not overlap. `seed` is that
// of the instruction and used by Rounding::Stochastic only.
void widen_to_f32(PackedFormat format, const void* packed, void* f32) noexcept;
void widen_to_bf16(PackedFormat format, const void* packed, void* bf16, Rounding rounding,
                   std::uint64_t seed) noexcept;
void narrow_from_f32(PackedFormat format, const void* f32, void* packed, Rounding rounding,
                     std::uint64_t seed) noexcept;
void narrow_from_bf16(PackedFormat format, const void* bf16, void* packed, Rounding rounding,
                      std::uint64_t seed) noexcept;

// Shuffles; source and result may not overlap.
void transpose(unsigned element_bytes, const void* in, void* out) noexcept;  // 8x8 of 1, 2, 4, 8
void pack_b(const void* in, void* out) noexcept;    // [4][8] to [2][8][2], 16-bit elements
void unpack_b(const void* in, void* out) noexcept;  // its inverse
void pack_bt(const void* in, void* out) noexcept;   // [8][4] to [2][8][2]
void unpack_bt(const void* in, void* out) noexcept;
void pack_b4(const void* in, void* out) noexcept;  // [4][32] to four B operands
void unpack_b4(const void* in, void* out) noexcept;
void pack_c(const void* in, void* out) noexcept;  // 32-bit elements, [8][16] to two C operands
void unpack_c(const void* in, void* out) noexcept;

}  // namespace d1::isa::numerics
