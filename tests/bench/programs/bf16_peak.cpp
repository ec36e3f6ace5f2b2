// SPDX-License-Identifier: Apache-2.0
#include "bf16_peak.hpp"

#include <immintrin.h>

namespace d1::bench {

std::uint64_t d1_bench_bf16_peak(std::uint64_t iterations) {
  std::uint64_t result = 0;
  const auto ones = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3f80));
  for (std::uint64_t iteration = 0; iteration < iterations; ++iteration) {
    __m512 sums[bf16_peak_sums];
    for (__m512& sum : sums) sum = _mm512_setzero_ps();
    for (int step = 0; step < bf16_peak_steps; ++step) {
#pragma clang loop unroll(full)
      for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, ones, ones);
    }
    __m512 all = _mm512_setzero_ps();
    for (const __m512& sum : sums) all = _mm512_add_ps(all, sum);
    result = static_cast<std::uint64_t>(_mm512_reduce_add_ps(all));
  }
  return result;
}

}  // namespace d1::bench
