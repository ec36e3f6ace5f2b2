// SPDX-License-Identifier: Apache-2.0
// Several ways of doing the same, measured interleaved, so that a change in the host's load meets
// all of them. Blocking: for as long as it takes.
#pragma once

#include "bench.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace d1::bench {

// Does something so many times and returns the seconds that took. Throws if its result is wrong.
using Way = std::function<double(std::uint64_t iterations)>;

// Seconds of an iteration, sample by sample. Each way finds for itself how many iterations make a
// sample long enough, which also warms it.
[[nodiscard]] std::vector<std::vector<double>> measure_ways(const Run& run,
                                                            std::span<const Way> ways);

// How many times as fast as the second the first one is: the median of the pairs.
[[nodiscard]] double median_speed(std::span<const double> seconds,
                                  std::span<const double> reference_seconds);

}  // namespace d1::bench
