// SPDX-License-Identifier: Apache-2.0
// Jacobi iteration on a plate: each point becomes the mean of its four neighbours, again and again.
//
// Node r of n keeps `rows` rows of the plate in its SRAM, between two halo rows that hold copies of
// its neighbours' edge rows. After each step it puts its own edges into the halos of the nodes
// above and below, and goes on when both have done the same. The plate's border keeps its values.
#include <algorithm>
#include <cassert>

#include <d1/kernel.hpp>

namespace {

using from_above = d1::semaphore<0>;
using from_below = d1::semaphore<1>;

// Steps read one copy of the plate and write the other; each has its own halos.
struct plate {
  float* data;
  std::size_t columns;
  float* row(std::size_t index) const { return data + index * columns; }
};

void relax(const plate& from, const plate& to, std::size_t first, std::size_t last) {
  for (std::size_t y = first; y < last; ++y) {
    const float *above = from.row(y - 1), *here = from.row(y), *below = from.row(y + 1);
    float* out = to.row(y);
    out[0] = here[0];
    out[from.columns - 1] = here[from.columns - 1];
    for (std::size_t x = 1; x + 1 < from.columns; ++x)
      out[x] = 0.25f * (above[x] + below[x] + here[x - 1] + here[x + 1]);
  }
}

}  // namespace

// `field` and `next` are of the same size: on each node (rows + 2) x columns floats, the halo rows
// first and last. The result is in `field` for an even number of steps, in `next` for an odd one.
D1_KERNEL void stencil2d(d1::sharded<float> field, d1::sharded<float> next, std::uint64_t columns,
                         std::uint64_t steps) {
  assert(field.total() == next.total());
  assert(columns >= 2 && field.chunk() % columns == 0 && field.chunk() / columns > 2);
  const std::size_t rows = field.chunk() / columns - 2;
  const bool top = d1::rank() == 0, bottom = d1::rank() + 1 == d1::nodes();
  const d1::range mine = d1::part_of(rows, d1::harts(), d1::hart());
  // The first and last row of the plate are its border, and stay as they are.
  const std::size_t first = 1 + mine.first + (top && mine.first == 0);
  const std::size_t last = 1 + mine.last - (bottom && mine.last == rows);

  plate now{field.data(), columns}, then{next.data(), columns};
  if (top && d1::hart() == 0) std::copy_n(now.row(1), columns, then.row(1));
  if (bottom && d1::hart() == 0) std::copy_n(now.row(rows), columns, then.row(rows));
  for (std::uint64_t step = 0; step < steps; ++step) {
    relax(now, then, first, last);
    d1::node_barrier();
    if (d1::hart() == 0) {
      d1::completion sent;
      const std::span top_edge(then.row(1), columns), bottom_edge(then.row(rows), columns);
      if (!top)
        sent += d1::put(top_edge, d1::global_ptr<float>::at(d1::rank() - 1, then.row(rows + 1)),
                        {.far = d1::semaphore_of<from_below>()});
      if (!bottom)
        sent += d1::put(bottom_edge, d1::global_ptr<float>::at(d1::rank() + 1, then.row(0)),
                        {.far = d1::semaphore_of<from_above>()});
      if (!top) from_above::wait();
      if (!bottom) from_below::wait();
      sent.wait();
    }
    d1::node_barrier();
    std::swap(now, then);
  }
}
