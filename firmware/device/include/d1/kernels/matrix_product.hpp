// SPDX-License-Identifier: Apache-2.0
// Building blocks of a BF16 matrix product C = A x B with FP32 accumulation.
//
// Both operands are cut into lines: 16 rows of A, or 16 columns of B. A line is packed in blocks of
// 1 KiB, each 32 k, with zeroes where the matrix ends: for each group of 4 k the operands of the
// matrix unit for its first eight rows or columns, and for the other eight (8 groups of 2 packets).
// The blocks of a line that are multiplied together lie one behind the other.
// The product works on patches of C, a line of A by a line of B: four accumulators, so that each
// operand loaded feeds two multiplications.
#pragma once

#include <cstddef>
#include <cstdint>

#include <d1/kernel.hpp>

namespace d1::kernels {

inline constexpr std::size_t line_size = 16;   // rows of A or columns of B
inline constexpr std::size_t block_depth = 32;  // k
inline constexpr std::size_t block_elements = line_size * block_depth;
inline constexpr std::size_t block_bytes = block_elements * sizeof(bf16);
inline constexpr std::size_t patch_elements = line_size * line_size;

// From 32 rows of 32 elements, `pitch` elements apart, to a block of each of two lines.
inline void pack_a(const bf16* raw, std::size_t pitch, bf16* upper, bf16* lower) {
  constexpr std::size_t words = packet_bytes / sizeof(std::uint64_t);
  const auto row = [&](std::size_t number) {
    return __riscv_vle64_v_u64m1(reinterpret_cast<const std::uint64_t*>(raw + number * pitch),
                                 words);
  };
  for (std::size_t tile = 0; tile < 4; ++tile) {
    const std::size_t first = 8 * tile;
    // Eight rows become eight operands, one for each group of k.
    const vuint64m8_t operands = d1_transpose_e64(__riscv_vcreate_v_u64m1_u64m8(
        row(first), row(first + 1), row(first + 2), row(first + 3), row(first + 4), row(first + 5),
        row(first + 6), row(first + 7)));
    auto* to = reinterpret_cast<std::uint64_t*>(tile < 2 ? upper : lower) + tile % 2 * words;
    const auto store = [&](std::size_t group, vuint64m1_t operand) {
      __riscv_vse64_v_u64m1(to + group * 2 * words, operand, words);
    };
    store(0, __riscv_vget_v_u64m8_u64m1(operands, 0));
    store(1, __riscv_vget_v_u64m8_u64m1(operands, 1));
    store(2, __riscv_vget_v_u64m8_u64m1(operands, 2));
    store(3, __riscv_vget_v_u64m8_u64m1(operands, 3));
    store(4, __riscv_vget_v_u64m8_u64m1(operands, 4));
    store(5, __riscv_vget_v_u64m8_u64m1(operands, 5));
    store(6, __riscv_vget_v_u64m8_u64m1(operands, 6));
    store(7, __riscv_vget_v_u64m8_u64m1(operands, 7));
  }
}

// From 32 rows (k) of 32 columns, `pitch` elements apart, to a block of each of two lines.
inline void pack_b(const bf16* raw, std::size_t pitch, bf16* left, bf16* right) {
  const auto row = [&](std::size_t number) {
    return __riscv_vle16_v_u16m1(reinterpret_cast<const std::uint16_t*>(raw + number * pitch),
                                 packet_bf16);
  };
  for (std::size_t group = 0; group < 8; ++group) {
    const std::size_t first = 4 * group;
    const vuint16m4_t operands = d1_pack_b4(__riscv_vcreate_v_u16m1_u16m4(
        row(first), row(first + 1), row(first + 2), row(first + 3)));
    bf16* const to_left = left + group * 2 * packet_bf16;
    bf16* const to_right = right + group * 2 * packet_bf16;
    store_packet(to_left, __riscv_vget_v_u16m4_u16m1(operands, 0));
    store_packet(to_left + packet_bf16, __riscv_vget_v_u16m4_u16m1(operands, 1));
    store_packet(to_right, __riscv_vget_v_u16m4_u16m1(operands, 2));
    store_packet(to_right + packet_bf16, __riscv_vget_v_u16m4_u16m1(operands, 3));
  }
}

// patch += A x B over `blocks` blocks of a line of each, at least one. The patch is four 8x8 tiles
// in memory, row by row. Reads half a block past the end of both lines.
//
// In assembly, since every vector register has its part: v16 to v31 are the sums, v0 to v7 operands
// of A and v8 to v15 operands of B for four groups of k. What a group has used is loaded for four
// groups later, 8 to 12 mma ahead of its use: a load takes 8 cycles, an mma 1.
inline void multiply_patch(const bf16* a, const bf16* b, std::size_t blocks, float* patch) {
#define D1_MMA_BF16(c, a, b) "  .insn r 0x0b, 2, 0, x" c ", x" a ", x" b "\n"
#define D1_GROUP(a0, a1, b0, b1)                        \
  D1_MMA_BF16("16", a0, b0) D1_MMA_BF16("20", a0, b1)   \
  D1_MMA_BF16("24", a1, b0) D1_MMA_BF16("28", a1, b1)
#define D1_LOAD_A(first) "  vl2re16.v " first ", (%[a])\n  addi %[a], %[a], 128\n"
#define D1_LOAD_B(first) "  vl4re16.v " first ", (%[b])\n  addi %[b], %[b], 256\n"
#define D1_FOUR_GROUPS                                           \
  D1_GROUP("0", "1", "8", "9") D1_LOAD_A("v0")                   \
  D1_GROUP("2", "3", "10", "11") D1_LOAD_A("v2") D1_LOAD_B("v8") \
  D1_GROUP("4", "5", "12", "13") D1_LOAD_A("v4")                 \
  D1_GROUP("6", "7", "14", "15") D1_LOAD_A("v6") D1_LOAD_B("v12")
  __asm__ volatile(
      D1_LOAD_A("v0") D1_LOAD_B("v8") D1_LOAD_A("v2")
      D1_LOAD_A("v4") D1_LOAD_B("v12") D1_LOAD_A("v6")
      "  vl4re32.v v16, (%[c00])\n"
      "  vl4re32.v v20, (%[c01])\n"
      "  vl4re32.v v24, (%[c10])\n"
      "  vl4re32.v v28, (%[c11])\n"
      "1:\n"
      "  addi %[blocks], %[blocks], -1\n"
      D1_FOUR_GROUPS D1_FOUR_GROUPS
      "  bnez %[blocks], 1b\n"
      "  vs4r.v v16, (%[c00])\n"
      "  vs4r.v v20, (%[c01])\n"
      "  vs4r.v v24, (%[c10])\n"
      "  vs4r.v v28, (%[c11])\n"
      : [a] "+r"(a), [b] "+r"(b), [blocks] "+r"(blocks)
      : [c00] "r"(patch), [c01] "r"(patch + 64), [c10] "r"(patch + 128), [c11] "r"(patch + 192)
      : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
        "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
        "v26", "v27", "v28", "v29", "v30", "v31");
#undef D1_FOUR_GROUPS
#undef D1_LOAD_B
#undef D1_LOAD_A
#undef D1_GROUP
#undef D1_MMA_BF16
}

// A patch becomes 16 rows of 16 floats, `pitch` floats apart.
inline void unpack_patch(const float* patch, float* rows, std::size_t pitch) {
  for (std::size_t half = 0; half < 2; ++half) {
    const vfloat32m8_t both = d1_unpack_c(__riscv_vle32_v_f32m8(patch + half * 2 * 64, 2 * 64));
    float* const to = rows + 8 * half * pitch;
    __riscv_vse32_v_f32m1(to, __riscv_vget_v_f32m8_f32m1(both, 0), 16);
    __riscv_vse32_v_f32m1(to + pitch, __riscv_vget_v_f32m8_f32m1(both, 1), 16);
    __riscv_vse32_v_f32m1(to + 2 * pitch, __riscv_vget_v_f32m8_f32m1(both, 2), 16);
    __riscv_vse32_v_f32m1(to + 3 * pitch, __riscv_vget_v_f32m8_f32m1(both, 3), 16);
    __riscv_vse32_v_f32m1(to + 4 * pitch, __riscv_vget_v_f32m8_f32m1(both, 4), 16);
    __riscv_vse32_v_f32m1(to + 5 * pitch, __riscv_vget_v_f32m8_f32m1(both, 5), 16);
    __riscv_vse32_v_f32m1(to + 6 * pitch, __riscv_vget_v_f32m8_f32m1(both, 6), 16);
    __riscv_vse32_v_f32m1(to + 7 * pitch, __riscv_vget_v_f32m8_f32m1(both, 7), 16);
  }
}

}  // namespace d1::kernels
