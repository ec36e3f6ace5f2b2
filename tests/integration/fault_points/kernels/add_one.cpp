// SPDX-License-Identifier: Apache-2.0
// A result that shows that everything before it was done.
#include <d1/kernel.hpp>

D1_KERNEL void add_one(d1::sharded<std::uint64_t> values) {
  for (std::uint64_t& value : values.part_of_hart()) value += 1;
}
