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
constexpr std::size_t kBlocks = kSize / block_size, kPatches = kSize / patch_size;

using Block = d1::bf16[block_elements];

// Lines of blocks along k, and room behind them for multiply_patch() to read past the end.
struct {
  alignas(64) Block a[kBlocks][kBlocks], b[kBlocks][kBlocks], room;
} packed;
alignas(64) float patches[kPatches][kPatches][patch_elements];

void fetch(const d1::bf16* matrix, std::size_t row, std::size_t column, Block& to) {
  for (std::size_t i = 0; i < block_size; ++i)
    std::copy_n(matrix + (row + i) * kSize + column, block_size, to + i * block_size);
}

}  // namespace

D1_KERNEL void pack(d1::sharded<const d1::bf16> a, d1::sharded<const d1::bf16> b) {
  alignas(64) Block raw;
  for (std::size_t line = 0; line < kBlocks; ++line) {
    for (std::size_t k = 0; k < kBlocks; ++k) {
      fetch(a.data(), line * block_size, k * block_size, raw);
      pack_a(raw, packed.a[line][k]);
      fetch(b.data(), k * block_size, line * block_size, raw);
      pack_b(raw, packed.b[line][k]);
    }
  }
}

D1_KERNEL void multiply(std::uint64_t iterations) {
  for (std::uint64_t iteration = 0; iteration < iterations; ++iteration) {
    for (std::size_t row = 0; row < kPatches; ++row) {
      for (std::size_t column = 0; column < kPatches; ++column) {
        float* const patch = patches[row][column];
        std::fill_n(patch, patch_elements, 0.0f);
        multiply_patch(packed.a[row / 2][0], row % 2, packed.b[column / 2][0], column % 2, kBlocks,
                       patch);
      }
    }
  }
}

D1_KERNEL void unpack(d1::sharded<float> c) {
  for (std::size_t row = 0; row < kPatches; ++row) {
    for (std::size_t column = 0; column < kPatches; ++column)
      unpack_patch(patches[row][column], c.data() + (row * kSize + column) * patch_size, kSize);
  }
}
