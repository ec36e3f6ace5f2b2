// SPDX-License-Identifier: Apache-2.0
// Keeps the nodes of a client busy.
#include <d1/kernel.hpp>

D1_KERNEL void busy(std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) __asm__ volatile("" : "+r"(i));
}
