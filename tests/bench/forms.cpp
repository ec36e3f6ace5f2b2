// SPDX-License-Identifier: Apache-2.0
// vec.forms.*: the loops of programs/forms.inc on one hart of one node, against the same natively,
// in CPU time, since so many short samples meet other load; and whether any of them leaves
// translated code for the semantics of an instruction.
#include "forms.hpp"

#include "bench.hpp"
#include "device.hpp"
#include "one_core.hpp"
#include "programs/forms.hpp"
#include "ways.hpp"

#include <fmt/format.h>
#include <bench_forms_program.hpp>

#include <algorithm>
#include <map>

namespace d1::bench {
namespace {

// Loops that may call semantics functions, each with the reason.
const std::map<std::string, const char*, std::less<>> kMayCall = {
    {"remainder_s64", "the host divides 64 bits as the semantics do, one element at a time"},
};

struct Helped {
  double calls_per_thousand = 0;  // instructions
  double interpreted_share = 0;   // of all instructions
  std::string most_called;
};

class FormOnNode {
 public:
  FormOnNode(const Device& device, const Kernel& kernel, std::uint64_t form)
      : device_(device),
        kernel_(kernel),
        grid_(device.grid(1, 1)),
        result_(device.sharded<std::uint64_t>(1, grid_)),
        stream_(device.stream()),
        form_(form),
        expected_(d1_bench_forms(form, 1)) {}

  double operator()(std::uint64_t iterations) {
    const Elapsed elapsed = time([&] {
      kernel_.launch(stream_, grid_, {.harts = 1}, result_, form_, iterations)
          .wait(std::chrono::minutes(10));
    });
    std::uint64_t result = 0;
    stream_.copy_out(std::span(&result, 1), result_).wait();
    if (result != expected_)
      throw std::runtime_error(fmt::format("{} gives {:#x} on a node, and {:#x} natively.", name(),
                                           result, expected_));
    return elapsed.cpu_seconds;
  }

  // Once its code is hot. What many iterations have more than few is the loop's own.
  Helped helped() {
    constexpr std::uint64_t kFew = 200, kMany = 400;
    (*this)(kFew);
    Counts loop = counts_of(kMany);
    for (const auto& [name, count] : counts_of(kFew)) loop[name] -= count;
    Helped helped;
    const double all = loop["instructions_retired"];
    helped.interpreted_share = loop["retired_by_interpreter"] / all;
    double most = 0;
    for (const auto& [name, count] : loop) {
      if (name == "instructions_retired" || name == "retired_by_interpreter") continue;
      helped.calls_per_thousand += count / all * 1000;
      if (count > most) helped.most_called = name;
      most = std::max(most, count);
    }
    return helped;
  }

  [[nodiscard]] std::string name() const {
    return fmt::format("vec.forms.{}", d1_bench_form_name(form_));
  }

 private:
  using Counts = std::map<std::string, double>;

  // Of one launch: instructions, and calls of each helper.
  Counts counts_of(std::uint64_t iterations) {
    Counts counts;
    const auto add = [&](double sign) {
      for (const StatisticGroup& group : device_.statistics())
        for (const Statistic& each : group.entries)
          if (const auto* count = std::get_if<std::uint64_t>(&each.value);
              count != nullptr && (group.name == "helpers" || each.name.ends_with("_retired") ||
                                   each.name == "retired_by_interpreter"))
            counts[each.name] += sign * static_cast<double>(*count);
    };
    add(-1);
    (*this)(iterations);
    add(1);
    return counts;
  }

  const Device& device_;
  const Kernel& kernel_;
  Grid grid_;
  Buffer<std::uint64_t> result_;
  Stream stream_;
  std::uint64_t form_, expected_;
};

Device device_that_counts() {
  DeviceOptions options;
  options.transport = "in-process";
  options.machine = "d1";
  options.threads = 1;
  options.count_execution = true;  // costs nothing where no helper is called
  return Device::open(options);
}

bool translates_vectors(const Device& device) {
  for (const StatisticGroup& group : device.statistics())
    for (const Statistic& each : group.entries)
      if (each.name == "host_level") return std::get<std::string>(each.value) == "avx512";
  return false;
}

double measure_form(Run& run, FormOnNode& node, std::uint64_t form) {
  constexpr std::uint64_t kLoops = 200;  // in an iteration, much longer than a launch then
  const Way on_node = [&node](std::uint64_t iterations) {
    return node(iterations * kLoops);
  };
  const Way natively = [form](std::uint64_t iterations) {
    return time([&] { (void)d1_bench_forms(form, iterations * kLoops); }).cpu_seconds;
  };
  const std::vector<Way> ways{on_node, natively};
  const std::vector<std::vector<double>> seconds = measure_ways(run, ways);
  const double ratio = median_speed(seconds[0], seconds[1]);
  const Helped helped = node.helped();
  std::string note = fmt::format("{:.1f} helpers called in 1000 instructions",
                                 helped.calls_per_thousand);
  if (!helped.most_called.empty()) note += ", most " + helped.most_called;
  run.report({.name = node.name(),
              .value = median(seconds[0]) * 1e6 / kLoops,
              .unit = "us",
              .nodes = kOneNode,
              .reference = median(seconds[1]) * 1e6 / kLoops,
              .ratio = ratio,
              .note = note});
  return ratio;
}

}  // namespace

std::vector<Case> form_cases() {
  std::vector<Case> cases{{"vec.forms", kOneNode}, {"vec.forms.slowest", kOneNode}};
  for (std::uint64_t form = 0; d1_bench_form_name(form) != nullptr; ++form)
    cases.push_back({fmt::format("vec.forms.{}", d1_bench_form_name(form)), kOneNode});
  return cases;
}

void measure_forms(Run& run) {
  const OneCore pinned;
  const Device device = device_that_counts();
  const Kernel kernel = device.load(bench_forms_program, "forms").kernel("run");
  std::vector<double> ratios;
  for (std::uint64_t form = 0; d1_bench_form_name(form) != nullptr; ++form) {
    FormOnNode node(device, kernel, form);
    if (run.wanted({node.name(), kOneNode})) ratios.push_back(measure_form(run, node, form));
  }
  if (ratios.empty()) return;
  for (const char* name : {"vec.forms", "vec.forms.slowest"}) {
    const bool slowest = std::string_view(name) != "vec.forms";
    const double ratio = slowest ? std::ranges::min(ratios) : median(ratios);
    run.report({.name = name, .value = 100 * ratio, .unit = "%", .nodes = kOneNode,
                .note = fmt::format("of the speed natively, {} of {} loops",
                                    slowest ? "the slowest" : "the median", ratios.size())});
  }
}

int check_forms() {
  const Device device = device_that_counts();
  if (!translates_vectors(device)) {
    fmt::print("This host has no AVX-512: vectors are not translated, and nothing is checked.\n");
    return 0;
  }
  const Kernel kernel = device.load(bench_forms_program, "forms").kernel("run");
  int wrong = 0;
  for (std::uint64_t form = 0; d1_bench_form_name(form) != nullptr; ++form) {
    FormOnNode node(device, kernel, form);
    const Helped helped = node.helped();
    constexpr double kCalls = 0.1, kInterpreted = 0.01;
    const bool fits =
        helped.calls_per_thousand < kCalls && helped.interpreted_share < kInterpreted;
    const bool may_call = kMayCall.contains(d1_bench_form_name(form));
    if (fits != may_call) continue;
    ++wrong;
    fmt::print("{}: {:.1f} helpers called in 1000 instructions{}{}, {:.1f} % interpreted{}\n",
               node.name(), helped.calls_per_thousand, helped.most_called.empty() ? "" : ", most ",
               helped.most_called, 100 * helped.interpreted_share,
               may_call ? "; it is no exception any more" : "");
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace d1::bench
