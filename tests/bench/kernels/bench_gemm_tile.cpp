// SPDX-License-Identifier: Apache-2.0
// gemm.bf16.tile: C = A x B of 256 x 256 matrices in the SRAM of one node, by one hart. Operands
// are packed once, as a kernel packs what it uses many times; only multiply() is measured.
#include "bench_gemm_tile.hpp"

#include <algorithm>

#include <d1/kernel.hpp>
#include <d1/kernels/matrix_product.hpp>

namespace {

using namespace d1::kernels;

constexpr std::size_t kSize = d1::bench::tile_gemm_size;
constexpr std::size_t kLines = kSize / line_size, kBlocks = kSize / block_depth;

using Block = d1::bf16[block_elements];

// Lines of blocks along k, and room behind them for multiply_patch() to read past the end.
struct {
  alignas(64) Block a[kLines][kBlocks], b[kLines][kBlocks], room;
} packed;
alignas(64) float patches[kLines][kLines][patch_elements];

}  // namespace

D1_KERNEL void pack(d1::sharded<const d1::bf16> a, d1::sharded<const d1::bf16> b) {
  for (std::size_t line = 0; line < kLines; line += 2) {
    for (std::size_t k = 0; k < kBlocks; ++k) {
      pack_a(a.data() + (line * line_size) * kSize + k * block_depth, kSize, packed.a[line][k],
             packed.a[line + 1][k]);
      pack_b(b.data() + (k * block_depth) * kSize + line * line_size, kSize, packed.b[line][k],
             packed.b[line + 1][k]);
    }
  }
}

D1_KERNEL void multiply(std::uint64_t iterations) {
  for (std::uint64_t iteration = 0; iteration < iterations; ++iteration) {
    for (std::size_t row = 0; row < kLines; ++row) {
#pragma clang loop unroll(disable)  // one inner loop is enough
      for (std::size_t column = 0; column < kLines; ++column) {
        float* const patch = patches[row][column];
        std::fill_n(patch, patch_elements, 0.0f);
        multiply_patch(packed.a[row][0], packed.b[column][0], kBlocks, patch);
      }
    }
  }
}

D1_KERNEL void unpack(d1::sharded<float> c) {
  for (std::size_t row = 0; row < kLines; ++row) {
    for (std::size_t column = 0; column < kLines; ++column)
      unpack_patch(patches[row][column], c.data() + (row * kSize + column) * line_size, kSize);
  }
}
