// SPDX-License-Identifier: Apache-2.0
// c = a + b, element by element: every node adds its own chunks, each hart a part of them. The
// plain loop becomes vector code.
#include <d1/kernel.hpp>

D1_KERNEL void vector_add(d1::sharded<const float> a, d1::sharded<const float> b,
                          d1::sharded<float> c) {
  assert(a.total() == c.total() && b.total() == c.total());
  const auto x = a.part_of_hart(), y = b.part_of_hart();
  const auto sum = c.part_of_hart();
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = x[i] + y[i];
}
