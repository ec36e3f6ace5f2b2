// SPDX-License-Identifier: Apache-2.0
#include <d1/kernel.hpp>

D1_KERNEL void scale(d1::sharded<float> values, float factor, std::int32_t offset) {
  for (float& value : values.part_of_hart()) value = value * factor + static_cast<float>(offset);
}

D1_KERNEL void traps() { __builtin_trap(); }

D1_KERNEL void waits() { d1::semaphore<3>::wait(); }
