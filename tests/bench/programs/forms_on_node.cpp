// SPDX-License-Identifier: Apache-2.0
// The loops as a kernel, for one hart.
#include "forms.hpp"

#include <d1/kernel.hpp>

D1_KERNEL void run(d1::sharded<std::uint64_t> result, std::uint64_t form,
                   std::uint64_t iterations) {
  result[0] = d1_bench_forms(form, iterations);
}
