// SPDX-License-Identifier: Apache-2.0
// Building blocks of a BF16 matrix product C = A x B with FP32 accumulation.
//
// Operands are packed in blocks of 2 KiB, each 32 x 32 elements with zeroes where the matrix ends:
//   A block  32 rows, 32 k: for each group of 4 k, the left operands of rows 0..7, 8..15, 16..23
//            and 24..31 (8 groups of 4 packets)
//   B block  32 k, 32 columns: for columns 0..7, 8..15, 16..23 and 24..31, the right operands of
//            the 8 groups of 4 k (4 groups of 8 packets)
// The product works on strips of C, 32 rows x 8 columns: four accumulators, so that each B operand
// loaded feeds four multiplications.
#pragma once

#include <cstddef>
#include <cstdint>

#include <d1/kernel.hpp>

namespace d1::kernels {

inline constexpr std::size_t block_size = 32;  // rows, columns and k
inline constexpr std::size_t block_elements = block_size * block_size;
inline constexpr std::size_t block_bytes = block_elements * sizeof(bf16);
inline constexpr std::size_t strip_columns = 8;
inline constexpr std::size_t strips_per_block = block_size / strip_columns;
inline constexpr std::size_t strip_floats = block_size * strip_columns;

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
  constexpr std::size_t column_group = 8 * packet_bf16;
  for (std::size_t group = 0; group < 8; ++group) {
    const vuint16m4_t operands = d1_pack_b4(__riscv_vle16_v_u16m4(from, 4 * packet_bf16));
    from += 4 * packet_bf16;
    const auto store = [&](std::size_t columns, vuint16m1_t operand) {
      __riscv_vse16_v_u16m1(to + columns * column_group + group * packet_bf16, operand,
                            packet_bf16);
    };
    store(0, __riscv_vget_v_u16m4_u16m1(operands, 0));
    store(1, __riscv_vget_v_u16m4_u16m1(operands, 1));
    store(2, __riscv_vget_v_u16m4_u16m1(operands, 2));
    store(3, __riscv_vget_v_u16m4_u16m1(operands, 3));
  }
}

// strip += A x B over `blocks` blocks of k. `a` and `b` are the first blocks, the next ones follow;
// `column` (0..3) says which 8 columns of the B blocks. The strip is four 8x8 tiles in memory.
inline void multiply_strip(const bf16* a, const bf16* b, std::size_t column, std::size_t blocks,
                           float* strip) {
  matrix8x8 c0 = load_matrix(strip), c1 = load_matrix(strip + 64), c2 = load_matrix(strip + 128),
            c3 = load_matrix(strip + 192);
  const auto* left = reinterpret_cast<const std::uint16_t*>(a);
  const auto* right = reinterpret_cast<const std::uint16_t*>(b) + column * 8 * packet_bf16;
  constexpr std::size_t four = 4 * packet_bf16;
  // Whole-register loads: they need no vsetvli, which the compiler would repeat after each mma.
  const auto load = [](const std::uint16_t* from) {
    vuint16m4_t packets;
    __asm__("vl4re16.v %0, %1"
            : "=vr"(packets)
            : "A"(*reinterpret_cast<const std::uint16_t(*)[four]>(from)));
    return packets;
  };
  const auto step = [&](vuint16m4_t operands, vuint16m1_t operand) {
    c0 = d1_mma_bf16(c0, __riscv_vget_v_u16m4_u16m1(operands, 0), operand);
    c1 = d1_mma_bf16(c1, __riscv_vget_v_u16m4_u16m1(operands, 1), operand);
    c2 = d1_mma_bf16(c2, __riscv_vget_v_u16m4_u16m1(operands, 2), operand);
    c3 = d1_mma_bf16(c3, __riscv_vget_v_u16m4_u16m1(operands, 3), operand);
  };
  // Software pipeline: each load is issued one group of 16 mma ahead of its use. The very last ones
  // read one packet group past the end, and are never used.
  vuint16m4_t b0 = load(right);
  vuint16m4_t a0 = load(left);
  for (std::size_t block = 0; block < blocks; ++block) {
    const vuint16m4_t b1 = load(right + four);
    vuint16m4_t a1 = load(left + four);
    step(a0, __riscv_vget_v_u16m4_u16m1(b0, 0));
    a0 = load(left + 2 * four);
    step(a1, __riscv_vget_v_u16m4_u16m1(b0, 1));
    a1 = load(left + 3 * four);
    step(a0, __riscv_vget_v_u16m4_u16m1(b0, 2));
    a0 = load(left + 4 * four);
    step(a1, __riscv_vget_v_u16m4_u16m1(b0, 3));
    right += block_elements;
    b0 = load(right);
    a1 = load(left + 5 * four);
    step(a0, __riscv_vget_v_u16m4_u16m1(b1, 0));
    a0 = load(left + 6 * four);
    step(a1, __riscv_vget_v_u16m4_u16m1(b1, 1));
    a1 = load(left + 7 * four);
    step(a0, __riscv_vget_v_u16m4_u16m1(b1, 2));
    left += block_elements;
    a0 = load(left);
    step(a1, __riscv_vget_v_u16m4_u16m1(b1, 3));
  }
  store_matrix(strip, c0);
  store_matrix(strip + 64, c1);
  store_matrix(strip + 128, c2);
  store_matrix(strip + 192, c3);
}

// Two neighbouring strips become 32 rows of 16 floats, `pitch` floats apart.
inline void unpack_strips(const float* left, const float* right, float* rows, std::size_t pitch) {
  for (std::size_t tile = 0; tile < 4; ++tile) {
    const vfloat32m8_t both = d1_unpack_c(__riscv_vcreate_v_f32m4_f32m8(
        load_matrix(left + 64 * tile), load_matrix(right + 64 * tile)));
    float* const to = rows + 8 * tile * pitch;
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
