// SPDX-License-Identifier: Apache-2.0
// Building blocks of a BF16 matrix product C = A x B with FP32 accumulation.
//
// Operands are packed in blocks of 2 KiB, each 32 x 32 elements with zeroes where the matrix ends:
//   A block  32 rows, 32 k: for each group of 4 k, the left operands of rows 0..7, 8..15, 16..23
//            and 24..31 (8 groups of 4 packets)
//   B block  32 k, 32 columns: for each half of the columns, for each group of 4 k, the right
//            operands of its columns 0..7 and 8..15 (2 halves of 8 groups of 2 packets)
// The product works on patches of C, 16 rows x 16 columns: four accumulators, so that each operand
// loaded feeds two multiplications.
#pragma once

#include <cstddef>
#include <cstdint>

#include <d1/kernel.hpp>

namespace d1::kernels {

inline constexpr std::size_t block_size = 32;  // rows, columns and k
inline constexpr std::size_t block_elements = block_size * block_size;
inline constexpr std::size_t block_bytes = block_elements * sizeof(bf16);
inline constexpr std::size_t patch_size = 16;  // rows and columns
inline constexpr std::size_t patch_elements = patch_size * patch_size;

// From 32 rows of 32 elements, one after the other, to an A block.
inline void pack_a(const bf16* raw, bf16* block) {
  const auto* from = reinterpret_cast<const std::uint64_t*>(raw);
  auto* to = reinterpret_cast<std::uint64_t*>(block);
  constexpr std::size_t words = packet_bytes / sizeof(std::uint64_t);
  for (std::size_t tile = 0; tile < 4; ++tile) {
    // Eight rows become eight operands; those of one k group lie four packets apart.
    const vuint64m8_t operands = d1_transpose_e64(__riscv_vle64_v_u64m8(from, 64));
    from += 64;
    const auto store = [&](std::size_t group, vuint64m1_t operand) {
      __riscv_vse64_v_u64m1(to + (group * 4 + tile) * words, operand, words);
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

// From 32 rows (k) of 32 columns to a B block.
inline void pack_b(const bf16* raw, bf16* block) {
  const auto* from = reinterpret_cast<const std::uint16_t*>(raw);
  auto* to = reinterpret_cast<std::uint16_t*>(block);
  for (std::size_t group = 0; group < 8; ++group) {
    const vuint16m4_t operands = d1_pack_b4(__riscv_vle16_v_u16m4(from, 4 * packet_bf16));
    from += 4 * packet_bf16;
    const auto store = [&](std::size_t columns, vuint16m1_t operand) {
      const std::size_t packet = columns / 2 * 16 + group * 2 + columns % 2;
      __riscv_vse16_v_u16m1(to + packet * packet_bf16, operand, packet_bf16);
    };
    store(0, __riscv_vget_v_u16m4_u16m1(operands, 0));
    store(1, __riscv_vget_v_u16m4_u16m1(operands, 1));
    store(2, __riscv_vget_v_u16m4_u16m1(operands, 2));
    store(3, __riscv_vget_v_u16m4_u16m1(operands, 3));
  }
}

// patch += A x B over `blocks` blocks of k. `a` and `b` are the first blocks, the next ones follow;
// `row_half` and `column_half` (0 or 1) say which 16 rows and columns of them. The patch is four
// 8x8 tiles in memory, row by row.
inline void multiply_patch(const bf16* a, std::size_t row_half, const bf16* b,
                           std::size_t column_half, std::size_t blocks, float* patch) {
  matrix8x8 c00 = load_matrix(patch), c01 = load_matrix(patch + 64), c10 = load_matrix(patch + 128),
            c11 = load_matrix(patch + 192);
  using element = std::uint16_t;
  constexpr std::size_t two = 2 * packet_bf16, four = 4 * packet_bf16;
  const auto* left = reinterpret_cast<const element*>(a) + row_half * two;
  const auto* right = reinterpret_cast<const element*>(b) + column_half * 8 * two;
  // Whole-register loads: they need no vsetvli, which the compiler would repeat after each mma.
  const auto load_a = [](const element* from) {
    vuint16m2_t rows;
    __asm__("vl2re16.v %0, %1" : "=vr"(rows) : "A"(*reinterpret_cast<const element(*)[two]>(from)));
    return rows;
  };
  const auto load_b = [](const element* from) {
    vuint16m4_t columns;
    __asm__("vl4re16.v %0, %1"
            : "=vr"(columns)
            : "A"(*reinterpret_cast<const element(*)[four]>(from)));
    return columns;
  };
  const auto step = [&](vuint16m2_t rows, vuint16m1_t b0, vuint16m1_t b1) {
    const vuint16m1_t a0 = __riscv_vget_v_u16m2_u16m1(rows, 0);
    const vuint16m1_t a1 = __riscv_vget_v_u16m2_u16m1(rows, 1);
    c00 = d1_mma_bf16(c00, a0, b0);
    c01 = d1_mma_bf16(c01, a0, b1);
    c10 = d1_mma_bf16(c10, a1, b0);
    c11 = d1_mma_bf16(c11, a1, b1);
  };
  const auto even = [&](vuint16m2_t rows, vuint16m4_t b) {
    step(rows, __riscv_vget_v_u16m4_u16m1(b, 0), __riscv_vget_v_u16m4_u16m1(b, 1));
  };
  const auto odd = [&](vuint16m2_t rows, vuint16m4_t b) {
    step(rows, __riscv_vget_v_u16m4_u16m1(b, 2), __riscv_vget_v_u16m4_u16m1(b, 3));
  };
  // Software pipeline: operands are loaded three to four groups of k, 12 to 16 mma, ahead of their
  // use. The last loads read half a block past the end, and are never used.
  vuint16m2_t a0 = load_a(left), a1 = load_a(left + four), a2 = load_a(left + 2 * four),
              a3 = load_a(left + 3 * four);
  vuint16m4_t b01 = load_b(right), b23 = load_b(right + four);
  for (std::size_t block = 0; block < blocks; ++block) {
    even(a0, b01);
    a0 = load_a(left + 4 * four);
    odd(a1, b01);
    a1 = load_a(left + 5 * four);
    b01 = load_b(right + 2 * four);
    even(a2, b23);
    a2 = load_a(left + 6 * four);
    odd(a3, b23);
    a3 = load_a(left + 7 * four);
    b23 = load_b(right + 3 * four);
    left += block_elements;
    right += block_elements;
    even(a0, b01);
    a0 = load_a(left);
    odd(a1, b01);
    a1 = load_a(left + four);
    b01 = load_b(right);
    even(a2, b23);
    a2 = load_a(left + 2 * four);
    odd(a3, b23);
    a3 = load_a(left + 3 * four);
    b23 = load_b(right + four);
  }
  store_matrix(patch, c00);
  store_matrix(patch + 64, c01);
  store_matrix(patch + 128, c10);
  store_matrix(patch + 192, c11);
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
