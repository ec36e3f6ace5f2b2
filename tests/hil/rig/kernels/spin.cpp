// SPDX-License-Identifier: Apache-2.0
#include <d1/kernel.hpp>

D1_KERNEL void spin(unsigned rounds) {
  for (volatile unsigned i = 0; i < rounds; i = i + 1) {
  }
}
D1_KERNEL void add(d1::sharded<int> data, int what) {
  for (int& value : data.part_of_hart()) value += what;
}
