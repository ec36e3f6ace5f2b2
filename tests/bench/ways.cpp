// SPDX-License-Identifier: Apache-2.0
#include "ways.hpp"

#include <algorithm>
#include <cmath>

namespace d1::bench {
namespace {

// As many iterations as take about so long.
std::uint64_t iterations_in(double seconds, const Way& way) {
  double iterations = 1;
  for (;;) {
    const double elapsed = way(static_cast<std::uint64_t>(iterations));
    const double factor = seconds / elapsed;
    if (factor < 2)
      return static_cast<std::uint64_t>(std::max(1.0, std::ceil(iterations * factor)));
    iterations = std::ceil(iterations * std::min(factor, 10.0));  // the first may be cold
  }
}

}  // namespace

std::vector<std::vector<double>> measure_ways(const Run& run, std::span<const Way> ways) {
  const double sample_seconds = run.pick(0.06, 0.01);
  const int samples = run.pick(7, 1);
  std::vector<std::uint64_t> iterations;
  for (const Way& way : ways) iterations.push_back(iterations_in(sample_seconds, way));
  std::vector<std::vector<double>> seconds(ways.size());
  for (int sample = 0; sample < samples; ++sample) {
    for (std::size_t i = 0; i < ways.size(); ++i)
      seconds[i].push_back(ways[i](iterations[i]) / static_cast<double>(iterations[i]));
  }
  return seconds;
}

double median_speed(std::span<const double> seconds, std::span<const double> reference_seconds) {
  std::vector<double> speeds;
  for (std::size_t i = 0; i < seconds.size(); ++i)
    speeds.push_back(reference_seconds[i] / seconds[i]);
  return median(speeds);
}

}  // namespace d1::bench
