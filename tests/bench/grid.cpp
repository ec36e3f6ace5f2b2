// SPDX-License-Identifier: Apache-2.0
// barrier.die, reduce.die, noc.put: host time of what all nodes of a die do with each other, one
// hart a node. A launch repeats the operation so often that the launch itself does not count.
#include "bench.hpp"
#include "device.hpp"
#include "kernels/bench_grid.hpp"

#include <fmt/format.h>
#include <bench_grid_program.hpp>

#include <algorithm>
#include <cstring>

namespace d1::bench {
namespace {

constexpr std::size_t kResultStride = 8;  // elements: a packet for each node

// A kernel of bench_grid on the die.
class Operation {
 public:
  Operation(const Device& device, const Program& program, const char* kernel)
      : grid_(device.all()),
        kernel_(program.kernel(kernel)),
        wrong_(device.sharded<std::uint64_t>(kResultStride * grid_.nodes(), grid_)),
        stream_(device.stream()) {}

  // So many rounds, the launch included.
  Elapsed run(std::uint64_t rounds) {
    return time([&] {
      kernel_.launch(stream_, grid_, {.harts = 1}, wrong_, rounds).wait(std::chrono::minutes(10));
    });
  }

  // Of the last run.
  void check() {
    std::vector<std::uint64_t> all(wrong_.size());
    stream_.copy_out(std::span(all), wrong_).wait();
    for (std::size_t i = 0; i < all.size(); i += kResultStride)
      require(all[i] == 0,
              fmt::format("Node {} found {} results wrong.", i / kResultStride, all[i]));
  }

 private:
  Grid grid_;
  Kernel kernel_;
  Buffer<std::uint64_t> wrong_;
  Stream stream_;
};

void measure_operation(Run& run, const char* name, Operation operation) {
  if (!run.wanted({name, kDieNodes})) return;
  const std::uint64_t rounds = run.pick(1000, 50);
  const int samples = run.pick(21, 2);
  (void)operation.run(rounds);
  const double to_us_each = 1e6 / static_cast<double>(rounds);
  std::vector<double> times, cpu_times;
  for (int i = 0; i < samples; ++i) {
    const Elapsed elapsed = operation.run(rounds);
    times.push_back(elapsed.seconds * to_us_each);
    cpu_times.push_back(elapsed.cpu_seconds * to_us_each);
  }
  operation.check();
  run.report({.name = name,
              .value = median(times),
              .unit = "us",
              .nodes = kDieNodes,
              .note = fmt::format("{} launches of {}; the quickest {:.1f}; {:.1f} of CPU time each",
                                  samples, rounds, *std::ranges::min_element(times),
                                  median(cpu_times))});
}

void measure_put(Run& run, Operation prepare, Operation put, Operation check) {
  if (!run.wanted({"noc.put", kDieNodes})) return;
  constexpr std::size_t kBytes = put_bytes * kDieNodes;
  const std::uint64_t rounds = run.pick(20, 2);
  const std::vector<std::byte> from(kBytes, std::byte{1});
  std::vector<std::byte> to(kBytes, std::byte{2});
  const double bytes = static_cast<double>(kBytes) * static_cast<double>(rounds);
  std::vector<double> ours, theirs, ratios;
  (void)prepare.run(0);
  (void)put.run(1);
  for (int i = run.pick(31, 2); i > 0; --i) {
    const double seconds = time([&] {
                             for (std::uint64_t round = 0; round < rounds; ++round)
                               std::memcpy(to.data(), from.data(), kBytes);
                           }).seconds;
    theirs.push_back(bytes / seconds / 1e9);
    ours.push_back(bytes / put.run(rounds).seconds / 1e9);
    ratios.push_back(ours.back() / theirs.back());
  }
  (void)check.run(0);
  check.check();
  require(from == to, "memcpy copied nothing.");
  run.report({.name = "noc.put",
              .value = median(ours),
              .unit = "GB/s",
              .nodes = kDieNodes,
              .reference = median(theirs),
              .ratio = median(ratios),
              .note = fmt::format("{} puts of {} KiB a node", rounds, put_bytes >> 10)});
}

}  // namespace

void measure_grid(Run& run) {
  const Device device = open_device("d1");
  const Program program = device.load(bench_grid_program, "bench_grid");
  measure_operation(run, "barrier.die", {device, program, "barrier"});
  measure_operation(run, "reduce.die", {device, program, "reduce"});
  measure_put(run, {device, program, "prepare_put"}, {device, program, "put"},
              {device, program, "check_put"});
}

}  // namespace d1::bench
