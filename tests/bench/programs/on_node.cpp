// SPDX-License-Identifier: Apache-2.0
// A program as a kernel, for one hart.
#include "program.hpp"

#include <d1/kernel.hpp>

D1_KERNEL void run(d1::sharded<std::uint64_t> result, std::uint64_t iterations) {
  result[0] = D1_BENCH_NAME(iterations);
}
