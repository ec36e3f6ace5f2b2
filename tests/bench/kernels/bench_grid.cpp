// SPDX-License-Identifier: Apache-2.0
// barrier.die, reduce.die, noc.put: what nodes do with each other, over and over. Each kernel
// leaves in the first element of a node's packet of `wrong` how much it found wrong.
#include "bench_grid.hpp"

#include <functional>
#include <span>

#include <d1/kernel.hpp>
#include <d1/kernels/collectives.hpp>

namespace {

using arrived = d1::semaphore<0>;

alignas(64) float packet[16];
alignas(64) std::uint32_t source[d1::bench::put_words], destination[d1::bench::put_words];
alignas(64) std::uint32_t round_of_node;

std::uint32_t word_of(std::uint32_t rank, std::uint32_t index) { return rank * 40503u + index; }

}  // namespace

D1_KERNEL void barrier(d1::sharded<std::uint64_t> wrong, std::uint64_t rounds) {
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    round_of_node = static_cast<std::uint32_t>(round);
    d1::grid_barrier();
  }
  // All have come as far before anybody came here, and nobody can go on without us.
  const std::uint32_t next = (d1::rank() + 1) % d1::nodes();
  const std::uint32_t there = *d1::global_ptr<std::uint32_t>::at(next, &round_of_node);
  wrong[0] = there != rounds;
}

// The sum of a packet over all nodes.
D1_KERNEL void reduce(d1::sharded<std::uint64_t> wrong, std::uint64_t rounds) {
  const std::uint32_t nodes = d1::nodes();
  std::uint64_t bad = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (float& value : packet) value = static_cast<float>(d1::rank() + round % 8);
    d1::kernels::all_reduce(std::span(packet), std::plus<float>());
    // Small whole numbers: exact.
    bad += packet[15] != static_cast<float>(nodes * (nodes - 1) / 2 + nodes * (round % 8));
  }
  wrong[0] = bad;
}

D1_KERNEL void prepare_put(d1::sharded<std::uint64_t>, std::uint64_t) {
  for (std::uint32_t i = 0; i < d1::bench::put_words; ++i) source[i] = word_of(d1::rank(), i);
}

// Every node sends its block to the next one, and waits for the block of the one before.
D1_KERNEL void put(d1::sharded<std::uint64_t>, std::uint64_t rounds) {
  const std::uint32_t next = (d1::rank() + 1) % d1::nodes();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const auto sent = d1::put(std::span<const std::uint32_t>(source),
                              d1::global_ptr<std::uint32_t>::at(next, destination),
                              {.far = d1::semaphore_of<arrived>()});
    arrived::wait();
    sent.wait();
  }
}

D1_KERNEL void check_put(d1::sharded<std::uint64_t> wrong, std::uint64_t) {
  const std::uint32_t before = (d1::rank() + d1::nodes() - 1) % d1::nodes();
  std::uint64_t bad = 0;
  for (std::uint32_t i = 0; i < d1::bench::put_words; ++i)
    bad += destination[i] != word_of(before, i);
  wrong[0] = bad;
}
