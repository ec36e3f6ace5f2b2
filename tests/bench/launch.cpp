// SPDX-License-Identifier: Apache-2.0
// launch.empty: from the call to its end, default settings; .one_hart: on one hart of each node.
#include "bench.hpp"
#include "device.hpp"

#include <fmt/format.h>
#include <bench_empty_program.hpp>

#include <algorithm>

namespace d1::bench {

namespace {

// The empty kernel on a machine. Waits as an application does.
class Launches {
 public:
  explicit Launches(const char* machine)
      : device_(open_device(machine)),
        kernel_(device_.load(bench_empty_program, "bench_empty").kernel("empty")),
        stream_(device_.stream()) {}

  [[nodiscard]] const Device& device() const { return device_; }

  void measure(Run& run, const Case& what, const Grid& grid, const LaunchOptions& options,
               int launches) {
    if (!run.wanted(what)) return;
    for (int i = 0; i < launches / 100 + 1; ++i) kernel_.launch(stream_, grid, options).wait();
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(launches));
    const Elapsed all = time([&] {
      for (int i = 0; i < launches; ++i) {
        const auto start = std::chrono::steady_clock::now();
        kernel_.launch(stream_, grid, options).wait();
        const auto end = std::chrono::steady_clock::now();
        times.push_back(std::chrono::duration<double, std::micro>(end - start).count());
      }
    });
    std::ranges::sort(times);
    const auto percentile = [&times](std::size_t percent) {
      return times[times.size() * percent / 100];
    };
    run.report({.name = what.name,
                .value = median(times),
                .unit = "us",
                .nodes = what.nodes,
                .note = fmt::format("{} launches, 10 % below {:.2f}, 90 % below {:.2f}; {:.2f} of "
                                    "CPU time each",
                                    launches, percentile(10), percentile(90),
                                    all.cpu_seconds * 1e6 / launches)});
  }

 private:
  Device device_;
  Kernel kernel_;
  Stream stream_;
};

}  // namespace

void measure_launch(Run& run) {
  constexpr const char* kAllHarts = "launch.empty";
  constexpr const char* kOneHart = "launch.empty.one_hart";
  const LaunchOptions all, one{.harts = 1};
  {
    Launches die("d1");
    const Device& device = die.device();
    die.measure(run, {kAllHarts, kOneNode}, device.grid(1, 1), all,
                run.pick(100'000, 1'000));
    die.measure(run, {kAllHarts, kDieNodes}, device.all(), all,
                run.pick(10'000, 100));
    die.measure(run, {kOneHart, kDieNodes}, device.all(), one,
                run.pick(10'000, 100));
  }
  Launches tile("tile");
  const Grid everywhere = tile.device().all();
  tile.measure(run, {kAllHarts, kTileNodes}, everywhere, all, run.pick(500, 10));
  tile.measure(run, {kOneHart, kTileNodes}, everywhere, one, run.pick(500, 10));
}

}  // namespace d1::bench
