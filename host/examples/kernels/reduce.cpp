// SPDX-License-Identifier: Apache-2.0
// The sum of a whole buffer, known to every node at the end: each hart sums its part, each node its
// harts, and the grid its nodes.
#include <functional>

#include <d1/kernel.hpp>
#include <d1/kernels/collectives.hpp>

namespace {

float sum_of_hart[D1_HARTS];
float sum_of_node[1], from_other_node[1];

}  // namespace

D1_KERNEL void reduce(d1::sharded<const float> values, d1::replicated<float> total) {
  float sum = 0;
  for (float value : values.part_of_hart()) sum += value;
  sum_of_hart[d1::hart()] = sum;
  d1::node_barrier();

  if (d1::hart() != 0) return;
  sum_of_node[0] = 0;
  for (unsigned i = 0; i < d1::harts(); ++i) sum_of_node[0] += sum_of_hart[i];
  d1::kernels::all_reduce<float>(sum_of_node, from_other_node, std::plus<float>());
  total[0] = sum_of_node[0];
}
