// SPDX-License-Identifier: Apache-2.0
// Conversions and shuffles behind d1/isa/xd1_numerics.hpp, one set a level of the host's CPU.
#pragma once

#include <d1/isa/xd1_numerics.hpp>

namespace d1::isa::numerics {

struct PacketFunctions {
  using Shuffle = void (*)(const void* in, void* out) noexcept;
  using Round = void (*)(PackedFormat format, const void* in, void* out, Rounding rounding,
                         std::uint64_t seed) noexcept;
  void (*widen_to_f32)(PackedFormat format, const void* packed, void* f32) noexcept;
  Round widen_to_bf16, narrow_from_f32, narrow_from_bf16;
  void (*transpose)(unsigned element_bytes, const void* in, void* out) noexcept;
  Shuffle pack_b, unpack_b, pack_bt, unpack_bt, pack_b4, unpack_b4, pack_c, unpack_c;
};

extern const PacketFunctions kPacketsBaseline;
extern const PacketFunctions kPacketsV3;  // x86-64-v3, what Level::Avx2 means
extern const PacketFunctions kPacketsV4;  // x86-64-v4, part of Level::Avx512

}  // namespace d1::isa::numerics
