// SPDX-License-Identifier: Apache-2.0
// The choice among the implementations of Xd1's arithmetic, by what the host can do.
#include <d1/isa/xd1_numerics.hpp>

#include "xd1_mma.hpp"
#include "xd1_packets.hpp"

namespace d1::isa::numerics {
namespace {

using Product = void (*)(void* c, const void* a, const void* b) noexcept;
using FormatProduct = void (*)(void* c, const void* a, const void* b, PackedFormat a_format,
                               PackedFormat b_format) noexcept;

struct Implementation {
  Product bf16, f16;
  FormatProduct cf8, cf16;
  const PacketFunctions* packets;
};

template <Accumulate kAccumulate>
void mma_cf8_by(void* c, const void* a, const void* b, PackedFormat a_format,
                PackedFormat b_format) noexcept {
  mma_cf8_widened(kAccumulate, c, a, b, a_format, b_format);
}

template <Accumulate kAccumulate>
void mma_cf16_by(void* c, const void* a, const void* b, PackedFormat a_format,
                 PackedFormat b_format) noexcept {
  mma_cf16_widened(kAccumulate, c, a, b, a_format, b_format);
}

// By Level.
constexpr Implementation kImplementations[] = {
    {mma_bf16_portable, mma_f16_portable, mma_cf8_by<accumulate_portable>,
     mma_cf16_by<accumulate_portable>, &kPacketsBaseline},
#if defined(__x86_64__)
    {mma_bf16_avx2, mma_f16_avx2, mma_cf8_by<accumulate_avx2>, mma_cf16_by<accumulate_avx2>,
     &kPacketsV3},
    {mma_bf16_avx512, mma_f16_avx2, mma_cf8_avx512, mma_cf16_by<accumulate_avx2>, &kPacketsV4},
#endif
};

#if defined(__x86_64__)
// x86-64-v3 as far as compilers make use of it, and F16C.
bool has_avx2_level() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("lzcnt");
}

// x86-64-v4, and BF16.
bool has_avx512_level() noexcept {
  return has_avx2_level() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bf16");
}
#endif

struct Selection {
  Level level;
  Implementation implementation;

  explicit Selection(Level wanted) noexcept
      : level(wanted), implementation(kImplementations[static_cast<unsigned>(wanted)]) {}
};

// Set before the first hart runs, and never while one does.
Selection selected{best_level()};

const PacketFunctions& packets() noexcept { return *selected.implementation.packets; }

}  // namespace

Level best_level() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return has_avx512_level() ? Level::Avx512 : has_avx2_level() ? Level::Avx2 : Level::Portable;
#else
  return Level::Portable;
#endif
}

Level selected_level() noexcept { return selected.level; }

bool select_numerics(Level level) noexcept {
  if (level > best_level()) return false;
  selected = Selection(level);
  return true;
}

void mma_bf16(void* c, const void* a, const void* b) noexcept {
  selected.implementation.bf16(c, a, b);
}
void mma_f16(void* c, const void* a, const void* b) noexcept {
  selected.implementation.f16(c, a, b);
}
void mma_cf8(void* c, const void* a, const void* b, PackedFormat a_format,
             PackedFormat b_format) noexcept {
  selected.implementation.cf8(c, a, b, a_format, b_format);
}
void mma_cf16(void* c, const void* a, const void* b, PackedFormat a_format,
              PackedFormat b_format) noexcept {
  selected.implementation.cf16(c, a, b, a_format, b_format);
}

void widen_to_f32(PackedFormat format, const void* packed, void* f32) noexcept {
  packets().widen_to_f32(format, packed, f32);
}
void widen_to_bf16(PackedFormat format, const void* packed, void* bf16, Rounding rounding,
                   std::uint64_t seed) noexcept {
  packets().widen_to_bf16(format, packed, bf16, rounding, seed);
}
void narrow_from_f32(PackedFormat format, const void* f32, void* packed, Rounding rounding,
                     std::uint64_t seed) noexcept {
  packets().narrow_from_f32(format, f32, packed, rounding, seed);
}
void narrow_from_bf16(PackedFormat format, const void* bf16, void* packed, Rounding rounding,
                      std::uint64_t seed) noexcept {
  packets().narrow_from_bf16(format, bf16, packed, rounding, seed);
}

void transpose(unsigned element_bytes, const void* in, void* out) noexcept {
  packets().transpose(element_bytes, in, out);
}
void pack_b(const void* in, void* out) noexcept { packets().pack_b(in, out); }
void unpack_b(const void* in, void* out) noexcept { packets().unpack_b(in, out); }
void pack_bt(const void* in, void* out) noexcept { packets().pack_bt(in, out); }
void unpack_bt(const void* in, void* out) noexcept { packets().unpack_bt(in, out); }
void pack_b4(const void* in, void* out) noexcept { packets().pack_b4(in, out); }
void unpack_b4(const void* in, void* out) noexcept { packets().unpack_b4(in, out); }
void pack_c(const void* in, void* out) noexcept { packets().pack_c(in, out); }
void unpack_c(const void* in, void* out) noexcept { packets().unpack_c(in, out); }

}  // namespace d1::isa::numerics
