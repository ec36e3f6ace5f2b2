// SPDX-License-Identifier: Apache-2.0
// Every hart says where it is.
#include <cassert>
#include <d1/kernel.hpp>

D1_KERNEL void hello(unsigned greetings) {
  assert(greetings > 0);
  for (unsigned i = 0; i < greetings; ++i)
    printf("hello %u from hart %u of node %u at row %u, column %u of %u x %u\n", i, d1::hart(),
           d1::rank(), d1::row(), d1::column(), d1::grid_rows(), d1::grid_columns());
}
