// SPDX-License-Identifier: Apache-2.0
// launch.empty: from the call to its end, default settings.
#include "bench.hpp"
#include "device.hpp"

#include <fmt/format.h>
#include <bench_empty_program.hpp>

#include <algorithm>

namespace d1::bench {

void measure_launch(Run& run) {
  const Device device = open_device("d1");
  const Kernel kernel = device.load(bench_empty_program, "bench_empty").kernel("empty");
  Stream stream = device.stream();
  const auto measure = [&](const Grid& grid, std::uint64_t nodes, int launches) {
    if (!run.wanted({"launch.empty", nodes})) return;
    for (int i = 0; i < launches / 100; ++i) kernel(stream, grid).wait();
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(launches));
    const Elapsed all = time([&] {
      for (int i = 0; i < launches; ++i) {
        const auto start = std::chrono::steady_clock::now();
        kernel(stream, grid).wait();
        const auto end = std::chrono::steady_clock::now();
        times.push_back(std::chrono::duration<double, std::micro>(end - start).count());
      }
    });
    std::ranges::sort(times);
    const auto percentile = [&times](std::size_t percent) {
      return times[times.size() * percent / 100];
    };
    run.report({.name = "launch.empty",
                .value = median(times),
                .unit = "us",
                .nodes = nodes,
                .note = fmt::format("{} launches, 10 % below {:.2f}, 90 % below {:.2f}; {:.2f} of "
                                    "CPU time each",
                                    launches, percentile(10), percentile(90),
                                    all.cpu_seconds * 1e6 / launches)});
  };
  measure(device.grid(1, 1), kOneNode, run.pick(100'000, 1'000));
  measure(device.all(), kDieNodes, run.pick(10'000, 100));
}

}  // namespace d1::bench
