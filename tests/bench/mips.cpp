// SPDX-License-Identifier: Apache-2.0
// mips.scalar, mips.idle: instructions retired a second of host time, in the one mode there is.
#include "bench.hpp"
#include "device.hpp"
#include "kernels/scalar_work.hpp"

#include <fmt/format.h>
#include <bench_kernels_program.hpp>
#include <d1/emulator/machine_description.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <thread>

namespace d1::bench {
namespace {

constexpr std::size_t kResultStride = 8;       // elements: a packet for each node
constexpr double kInstructionsARound = 6'700;  // about; only sizes the work

// A kernel of scalar work on one grid, with its buffers.
class Work {
 public:
  Work(const Device& device, const char* kernel, Grid grid)
      : grid_(std::move(grid)),
        kernel_(device.load(bench_kernels_program, "bench_kernels").kernel(kernel)),
        words_(device.sharded<std::uint64_t>(scalar_words * grid_.nodes(), grid_)),
        results_(device.sharded<std::uint64_t>(kResultStride * grid_.nodes(), grid_)),
        stream_(device.stream()) {}

  struct Speed {
    double mips = 0, mips_of_cpu_time = 0;
    double millions = 0;  // instructions
  };

  // One hart a node, about so many instructions in all.
  Speed run(double instructions, std::uint64_t working_nodes) {
    rounds_ =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(instructions / kInstructionsARound /
                                                              static_cast<double>(working_nodes)));
    Launch launch;
    const Elapsed elapsed = time([&] {
      launch = kernel_.launch(stream_, grid_, {.harts = 1}, words_, results_, rounds_);
      launch.wait(std::chrono::minutes(10));
    });
    const double millions = static_cast<double>(launch.instructions()) * 1e-6;
    return {millions / elapsed.seconds, millions / elapsed.cpu_seconds, millions};
  }

  // What each node left in `results` in the last run.
  [[nodiscard]] std::vector<std::uint64_t> results() {
    std::vector<std::uint64_t> all(results_.size()), firsts;
    stream_.copy_out(std::span(all), results_).wait();
    for (std::size_t i = 0; i < all.size(); i += kResultStride) firsts.push_back(all[i]);
    return firsts;
  }

  [[nodiscard]] std::uint64_t expected(std::uint64_t rank) const {
    std::uint64_t words[scalar_words];
    return scalar_work(words, rounds_, rank);
  }

 private:
  Grid grid_;
  Kernel kernel_;
  Buffer<std::uint64_t> words_, results_;
  Stream stream_;
  std::uint64_t rounds_ = 0;
};

void check_all_worked(Work& work, std::uint64_t nodes) {
  const std::vector<std::uint64_t> results = work.results();
  for (std::uint64_t rank = 0; rank < nodes; ++rank) {
    require(results[rank] == work.expected(rank),
            fmt::format("Node {} of {} left {:#x} and should have left {:#x}.", rank, nodes,
                        results[rank], work.expected(rank)));
  }
}

void report_quantum(Run& run, const char* machine, std::uint64_t nodes) {
  const auto description = emulator::load_machine(machine);
  require(description.has_value(), "A built-in machine cannot be read.");
  run.report({.name = "mips.quantum",
              .value = static_cast<double>(description->quantum_cycles),
              .unit = "cycles",
              .nodes = nodes});
}

struct Samples {
  std::vector<double> mips, cpu;
};

}  // namespace

void measure_mips(Run& run) {
  report_quantum(run, "d1", kDieNodes);
  report_quantum(run, "tile", kTileNodes);
  struct Subject {
    std::uint64_t nodes;
    double instructions;      // of a run, all nodes together
    std::uint64_t reference;  // nodes of the subject it is compared with; 0: none
  };
  constexpr Subject kSubjects[] = {{kOneNode, 200e6, 0},
                                   {8, 300e6, kOneNode},
                                   {80, 400e6, kOneNode},
                                   {kDieNodes, 600e6, kOneNode},
                                   {kTileNodes, 1200e6, kDieNodes}};
  const auto wanted = [&run](std::uint64_t nodes) { return run.wanted({"mips.scalar", nodes}); };
  std::optional<Device> die, tile;
  std::map<std::uint64_t, std::unique_ptr<Work>> works;
  for (const Subject& subject : kSubjects) {
    const bool needed =
        wanted(subject.nodes) || std::ranges::any_of(kSubjects, [&](const Subject& other) {
          return other.reference == subject.nodes && wanted(other.nodes);
        });
    if (!needed) continue;
    const bool on_tile = subject.nodes == kTileNodes;
    auto& device = on_tile ? tile : die;
    if (!device) device.emplace(open_device(on_tile ? "tile" : "d1"));
    constexpr std::uint32_t kAcross = 8;  // small grids are rectangles
    const auto down = static_cast<std::uint32_t>(subject.nodes / kAcross);
    works[subject.nodes] =
        std::make_unique<Work>(*device, "scalar",
                               subject.nodes >= kDieNodes  ? device->all()
                               : subject.nodes == kOneNode ? device->grid(1, 1)
                                                           : device->grid(down, kAcross));
  }
  for (auto& [nodes, work] : works) (void)work->run(0, nodes);  // memory is touched, nodes booted
  // Interleaved, so that a change in the host's load meets all of them.
  std::map<std::uint64_t, Samples> samples;
  for (int round = run.pick(7, 1); round > 0; --round) {
    for (const Subject& subject : kSubjects) {
      if (!works.contains(subject.nodes)) continue;
      const auto speed =
          works[subject.nodes]->run(subject.instructions * run.pick(1.0, 0.1), subject.nodes);
      samples[subject.nodes].mips.push_back(speed.mips);
      samples[subject.nodes].cpu.push_back(speed.mips_of_cpu_time);
    }
  }
  for (const Subject& subject : kSubjects) {
    if (!works.contains(subject.nodes)) continue;
    check_all_worked(*works[subject.nodes], subject.nodes);
    Record record{.name = "mips.scalar",
                  .value = median(samples[subject.nodes].mips),
                  .unit = "MIPS",
                  .nodes = subject.nodes,
                  .note = fmt::format("{:.0f} by CPU time of all threads",
                                      median(samples[subject.nodes].cpu))};
    if (subject.reference != 0) {
      std::vector<double> ratios;
      for (std::size_t i = 0; i < samples[subject.nodes].mips.size(); ++i)
        ratios.push_back(samples[subject.nodes].mips[i] / samples[subject.reference].mips[i]);
      record.reference = median(samples[subject.reference].mips);
      record.ratio = median(ratios);
    }
    run.report(record);
  }
}

namespace {

// When the kernel said that it begins and that it is done, by the host's clock.
class WorkTimes {
 public:
  explicit WorkTimes(const Device& device)
      : device_(device), thread_([this](const std::stop_token& stop) { look(stop); }) {
    device_.on_print([this](const driver::LogLine& line) {
      (line.text == "begin" ? begin_ : end_) = std::chrono::steady_clock::now();
    });
  }
  ~WorkTimes() {
    thread_ = {};
    device_.on_print({});
  }
  // After the launch.
  [[nodiscard]] double seconds() {
    const auto polled = device_.shared()->device().log().poll();
    require(polled.has_value() && end_ > begin_, "The kernel did not say when it worked.");
    return std::chrono::duration<double>(end_ - begin_).count();
  }

 private:
  void look(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      (void)device_.shared()->device().log().poll();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  const Device& device_;
  std::chrono::steady_clock::time_point begin_, end_;  // guarded by the log's lock
  std::jthread thread_;
};

}  // namespace

void measure_idle(Run& run) {
  const Device tile = open_device("tile");
  Work alone(tile, "idle", tile.grid(1, 1));
  Work among(tile, "idle", tile.all());
  WorkTimes times(tile);
  const double instructions = run.pick(200e6, 20e6);
  const int pairs = run.pick(30, 2);
  std::vector<double> lone, accompanied, ratios;
  for (int pair = 0; pair < pairs; ++pair) {
    const double millions = alone.run(instructions, 1).millions;
    lone.push_back(millions / times.seconds());
    (void)among.run(instructions, 1);
    accompanied.push_back(millions / times.seconds());
    ratios.push_back(accompanied.back() / lone.back());
    const std::vector<std::uint64_t> results = among.results();
    require(results[0] == among.expected(0), "The node that worked has a wrong result.");
    for (std::uint64_t rank = 1; rank < kTileNodes; ++rank)
      require(results[rank] == rank, fmt::format("Node {} did not finish.", rank));
  }
  run.report({.name = "mips.idle",
              .value = median(accompanied),
              .unit = "MIPS",
              .nodes = kTileNodes,
              .reference = median(lone),
              .ratio = median(ratios),
              .note = fmt::format("{} interleaved pairs, while the one works", pairs)});
}

}  // namespace d1::bench
