// SPDX-License-Identifier: Apache-2.0
// The product of two matrices of 128 x 128 doubles: scalar floating point, row by row.
#include "program.hpp"

namespace {

constexpr std::size_t kSize = 128;

alignas(64) double a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];

void prepare() {
  d1::bench::fill_with_small_integers(&a[0][0], kSize * kSize, 1);
  d1::bench::fill_with_small_integers(&b[0][0], kSize * kSize, 2);
}

void iterate() {
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < kSize; ++j) c[i][j] = 0;
    for (std::size_t k = 0; k < kSize; ++k) {
      const double factor = a[i][k];
      for (std::size_t j = 0; j < kSize; ++j) c[i][j] += factor * b[k][j];
    }
  }
  d1::bench::touch(c);
}

std::uint64_t result() { return d1::bench::sum_of_integers(&c[0][0], kSize * kSize); }

}  // namespace

D1_BENCH_PROGRAM(prepare, iterate, result)
