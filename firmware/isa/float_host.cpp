// SPDX-License-Identifier: Apache-2.0
#include <d1/isa/float_host.hpp>

namespace d1::isa::host {

bool detect_fma() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("fma") != 0;
}

}  // namespace d1::isa::host
