// SPDX-License-Identifier: Apache-2.0
// Kernels of the benchmarks. Results go to the first element of a node's packet of `results`.
#include "scalar_work.hpp"

#include <d1/kernel.hpp>

D1_KERNEL void empty() {}

// Every node works.
D1_KERNEL void scalar(d1::sharded<std::uint64_t> words, d1::sharded<std::uint64_t> results,
                      std::uint64_t rounds) {
  results[0] = d1::bench::scalar_work(words.data(), rounds, d1::rank());
}

// One node works, the others wait for it.
D1_KERNEL void idle(d1::sharded<std::uint64_t> words, d1::sharded<std::uint64_t> results,
                    std::uint64_t rounds) {
  using done = d1::semaphore<0>;
  if (d1::rank() != 0) {
    done::wait();
    results[0] = d1::rank();
    return;
  }
  results[0] = d1::bench::scalar_work(words.data(), rounds, 0);
  for (std::uint32_t rank = 1; rank < d1::nodes(); ++rank) done::post_remote(rank);
}
