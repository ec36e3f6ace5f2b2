// SPDX-License-Identifier: Apache-2.0
// A small program with all there is to read: two kernels, their parameters, a line that is inlined.
#include <d1/kernel.hpp>

D1_KERNEL void fill(d1::sharded<float> out, float value) {
  for (float& element : out) element = value;
}

D1_KERNEL void count(d1::hbm<std::uint32_t> total, std::uint64_t rounds) {
  (void)total;
  for (std::uint64_t round = 0; round < rounds; ++round) d1::grid_barrier();
}
