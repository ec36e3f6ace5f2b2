// SPDX-License-Identifier: Apache-2.0
// The product of two matrices of 256 x 256 floats, blocked for 32 vector registers of 64 bytes:
// 4 rows by 64 columns of C stay in 16 registers. For the node in RVV intrinsics; natively the same
// blocks in plain loops over vectors of 16 floats.
#include "program.hpp"

#ifdef __riscv_vector
#include <riscv_vector.h>
#endif

namespace {

constexpr std::size_t kSize = 256, kRows = 4, kColumns = 64;

alignas(64) float a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];

void prepare() {
  d1::bench::fill_with_small_integers(&a[0][0], kSize * kSize, 1);
  d1::bench::fill_with_small_integers(&b[0][0], kSize * kSize, 2);
}

#ifdef __riscv_vector
void multiply_block(std::size_t row, std::size_t column) {
  const auto zero = __riscv_vfmv_v_f_f32m4(0, kColumns);
  vfloat32m4_t c0 = zero, c1 = zero, c2 = zero, c3 = zero;
  for (std::size_t k = 0; k < kSize; ++k) {
    const vfloat32m4_t right = __riscv_vle32_v_f32m4(&b[k][column], kColumns);
    c0 = __riscv_vfmacc_vf_f32m4(c0, a[row][k], right, kColumns);
    c1 = __riscv_vfmacc_vf_f32m4(c1, a[row + 1][k], right, kColumns);
    c2 = __riscv_vfmacc_vf_f32m4(c2, a[row + 2][k], right, kColumns);
    c3 = __riscv_vfmacc_vf_f32m4(c3, a[row + 3][k], right, kColumns);
  }
  __riscv_vse32_v_f32m4(&c[row][column], c0, kColumns);
  __riscv_vse32_v_f32m4(&c[row + 1][column], c1, kColumns);
  __riscv_vse32_v_f32m4(&c[row + 2][column], c2, kColumns);
  __riscv_vse32_v_f32m4(&c[row + 3][column], c3, kColumns);
}
#else
using Packet = float __attribute__((vector_size(64)));
constexpr std::size_t kLanes = 16, kPackets = kColumns / kLanes;

void multiply_block(std::size_t row, std::size_t column) {
  Packet sums[kRows][kPackets] = {};
  for (std::size_t k = 0; k < kSize; ++k) {
    const auto* right = reinterpret_cast<const Packet*>(&b[k][column]);
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kPackets; ++j) sums[i][j] += a[row + i][k] * right[j];
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    auto* to = reinterpret_cast<Packet*>(&c[row + i][column]);
    for (std::size_t j = 0; j < kPackets; ++j) to[j] = sums[i][j];
  }
}
#endif

void iterate() {
  for (std::size_t column = 0; column < kSize; column += kColumns) {
    for (std::size_t row = 0; row < kSize; row += kRows) multiply_block(row, column);
  }
  d1::bench::touch(c);
}

std::uint64_t result() { return d1::bench::sum_of_integers(&c[0][0], kSize * kSize); }

}  // namespace

D1_BENCH_PROGRAM(prepare, iterate, result)
