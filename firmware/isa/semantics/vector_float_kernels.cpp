// SPDX-License-Identifier: Apache-2.0
#include <semantics/vector_float_kernels.hpp>

namespace d1::isa::vector_float {

const Kernels& kernels() noexcept {
  static const Kernels& chosen = []() -> const Kernels& {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      return kKernelsV4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c"))
      return kKernelsV3;
    return kKernelsBaseline;
  }();
  return chosen;
}

}  // namespace d1::isa::vector_float
