// SPDX-License-Identifier: Apache-2.0
// The 8x8x4 matrix unit from C++: tiles as vector register values. Layouts are those of Xd1
// (firmware/isa/xd1.md, sections 7 and 8). Tiles are sizeless: locals and parameters only, never
// members or array elements.
#pragma once

#include <cstddef>
#include <cstdint>

#include <d1/xd1.h>
#include <d1/device/arithmetic.hpp>

namespace d1 {

using matrix8x8 = vfloat32m4_t;      // accumulators: 8x8 FP32, row by row
using matrix8x4_bf16 = vuint16m1_t;  // left operand: 8 rows of 4 k
using matrix4x8_bf16 = vuint16m1_t;  // right operand: pairs along k, [2][8][2]
using matrix8x8_cf8 = vuint8m1_t;    // operand of CFloat8: 8x8

inline constexpr std::size_t packet_bytes = 64;
inline constexpr std::size_t packet_bf16 = packet_bytes / sizeof(bf16);

[[nodiscard]] inline matrix8x8 zero_matrix() { return __riscv_vfmv_v_f_f32m4(0.0f, 64); }

// c + a * b
[[nodiscard]] inline matrix8x8 multiply_add(matrix8x8 c, matrix8x4_bf16 a, matrix4x8_bf16 b) {
  return d1_mma_bf16(c, a, b);
}

// One operand of 64 bytes, aligned or not.
[[nodiscard]] inline vuint16m1_t load_packet(const bf16* from) {
  return __riscv_vle16_v_u16m1(reinterpret_cast<const std::uint16_t*>(from), packet_bf16);
}
inline void store_packet(bf16* to, vuint16m1_t packet) {
  __riscv_vse16_v_u16m1(reinterpret_cast<std::uint16_t*>(to), packet, packet_bf16);
}

// 64 floats, row by row.
[[nodiscard]] inline matrix8x8 load_matrix(const float* from) {
  return __riscv_vle32_v_f32m4(from, 64);
}
inline void store_matrix(float* to, matrix8x8 c) { __riscv_vse32_v_f32m4(to, c, 64); }

}  // namespace d1
