// SPDX-License-Identifier: Apache-2.0
// Kernels of the benchmarks. Results go to the first element of a node's packet of `results`.
#include "scalar_work.hpp"

#include <d1/kernel.hpp>

// Every node works.
D1_KERNEL void scalar(d1::sharded<std::uint64_t> words, d1::sharded<std::uint64_t> results,
                      std::uint64_t rounds) {
  results[0] = d1::bench::scalar_work(words.data(), rounds, d1::rank());
}

// One node works once all others wait for it, and says when it begins and when it is done.
D1_KERNEL void idle(d1::sharded<std::uint64_t> words, d1::sharded<std::uint64_t> results,
                    std::uint64_t rounds) {
  using ready = d1::semaphore<0>;
  using done = d1::semaphore<1>;
  if (d1::rank() != 0) {
    ready::post_remote(0);
    done::wait();
    results[0] = d1::rank();
    return;
  }
  ready::wait(d1::nodes() - 1);
  printf("begin");
  results[0] = d1::bench::scalar_work(words.data(), rounds, 0);
  printf("end");
  for (std::uint32_t rank = 1; rank < d1::nodes(); ++rank) done::post_remote(rank);
}
