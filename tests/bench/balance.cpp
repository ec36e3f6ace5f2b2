// SPDX-License-Identifier: Apache-2.0
// threads.balance: how evenly host threads share a launch over a die, with nothing held back. Asks
// the emulated device itself: who ran which node is nothing that a host API tells.
#include "bench.hpp"
#include "device.hpp"
#include "kernels/scalar_work.hpp"

#include <fmt/format.h>
#include <bench_kernels_program.hpp>
#include <raw_host.hpp>

#include <algorithm>
#include <numeric>

namespace d1::bench {

void measure_balance(Run& run) {
  constexpr std::uint64_t kWords = 0x40000, kResults = 0x80000;  // SRAM offsets
  constexpr std::uint64_t kResultsANode = 8;                     // a packet
  emulator::DeviceOptions options;
  options.host_threads = host_threads == 0 ? 2 : host_threads;
  emulator::test::RawHost host(options);
  host.load(bench_kernels_program);
  std::vector<double> shares;
  std::vector<std::uint64_t> before(options.host_threads);
  for (int round = run.pick(9, 3); round > 0; --round) {
    const auto completion = host.launch(
        "scalar", 0,
        {kWords, scalar_words * kDieNodes, kResults, kResultsANode * kDieNodes,
         run.pick<std::uint64_t>(200, 20)});
    require(completion.status == D1_STATUS_OK, "The launch failed.");
    std::vector<std::uint64_t> retired = host.device().statistics().instructions;
    const std::vector<std::uint64_t> after = retired;
    for (std::size_t i = 0; i < retired.size(); ++i) retired[i] -= before[i];
    before = after;
    const auto all = static_cast<double>(std::reduce(retired.begin(), retired.end()));
    shares.push_back(100 * static_cast<double>(*std::ranges::min_element(retired)) / all);
  }
  const double equal = 100.0 / options.host_threads;
  run.report({.name = "threads.balance",
              .value = median(shares),
              .unit = "%",
              .nodes = kDieNodes,
              .reference = equal,
              .ratio = median(shares) / equal,
              .note = fmt::format("{} threads, median of {} launches; the least was {:.1f} %",
                                  options.host_threads, shares.size(),
                                  *std::ranges::min_element(shares))});
}

}  // namespace d1::bench
