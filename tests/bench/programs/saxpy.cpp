// SPDX-License-Identifier: Apache-2.0
// y += a x over vectors of 3000 floats, 24 KB together; the length is no multiple of a register's.
// For the node in RVV intrinsics; natively the plain loop.
#include "program.hpp"

#ifdef __riscv_vector
#include <riscv_vector.h>
#endif

namespace {

constexpr std::size_t kLength = 3000, kPairs = 100;

alignas(64) float x[kLength], y[kLength];

#ifdef __riscv_vector
[[gnu::noinline]] void saxpy(std::size_t length, float factor, const float* from, float* to) {
  for (std::size_t step; length > 0; length -= step, from += step, to += step) {
    step = __riscv_vsetvl_e32m8(length);
    const vfloat32m8_t more = __riscv_vle32_v_f32m8(from, step);
    const vfloat32m8_t sum = __riscv_vle32_v_f32m8(to, step);
    __riscv_vse32_v_f32m8(to, __riscv_vfmacc_vf_f32m8(sum, factor, more, step), step);
  }
}
#else
[[gnu::noinline]] void saxpy(std::size_t length, float factor, const float* __restrict from,
                             float* __restrict to) {
  for (std::size_t i = 0; i < length; ++i) to[i] += factor * from[i];
}
#endif

void prepare() {
  d1::bench::fill_with_small_integers(x, kLength, 1);
  d1::bench::fill_with_small_integers(y, kLength, 2);
  saxpy(kLength, 3, x, y);
}

// Forth and back again: what goes wrong anywhere stays in y.
void iterate() {
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    saxpy(kLength, -3, x, y);
    saxpy(kLength, 3, x, y);
  }
  d1::bench::touch(y);
}

std::uint64_t result() { return d1::bench::sum_of_integers(y, kLength); }

}  // namespace

D1_BENCH_PROGRAM(prepare, iterate, result)
