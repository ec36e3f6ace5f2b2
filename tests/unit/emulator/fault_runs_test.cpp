// SPDX-License-Identifier: Apache-2.0
// A plan with the same seed gives the same run, whatever runs it.
#include <gtest/gtest.h>
#include <d1/emulator/fault_plan.hpp>

#include <string>
#include <vector>

#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator::test {
namespace {

constexpr std::uint32_t kOut = 0x80000;

// Everything that the seed can choose, and nothing that keeps a launch from its end.
constexpr const char* kPlan = R"(
[[fault]]
kind = "node_stop"
at_cycle = [1_000, 60_000]
for_cycles = 9_000
[[fault]]
kind = "hart_stuck"
at_cycle = [1_000, 60_000]
for_cycles = 20_000
[[fault]]
kind = "link_slow"
at_cycle = [1_000, 60_000]
factor = 40
[[fault]]
kind = "link_slow"
factor = 300
[[fault]]
kind = "clock_throttle"
at_cycle = [20_000, 60_000]
for_cycles = 10_000
factor = 3
[[fault]]
kind = "sram_flip"
chance = 0.4
[[fault]]
kind = "dma_error"
opcode = "query"
chance = 0.5
)";

struct Observed {
  std::vector<std::string> events;
  std::vector<std::uint16_t> statuses;
  std::uint64_t trace = 0, end_cycle = 0;
  friend bool operator==(const Observed&, const Observed&) = default;
};

Observed run(std::uint64_t seed, unsigned threads, EngineKind engine) {
  DeviceOptions options;
  options.engine.kind = engine;
  options.host_threads = threads;
  RawHost host(options);
  auto plan = parse_fault_plan("seed = " + std::to_string(seed) + kPlan, "plan");
  EXPECT_TRUE(plan) << plan.error().to_string();
  EXPECT_TRUE(host.device().inject(*plan));
  host.load(emulator_kernels_program);
  Observed seen;
  const d1_completion launch = host.launch("storm", 0, {kOut, 60}, 2);
  seen.statuses.push_back(launch.status);
  EXPECT_EQ(launch.status, D1_STATUS_OK);
  for (int i = 0; i < 12; ++i) {
    d1_query query{};
    query.header.opcode = D1_COMMAND_QUERY;
    query.destination = RawHost::kIo + RawHost::kFree;
    query.bytes = 4096;
    query.kind = D1_QUERY_COUNTERS;
    seen.statuses.push_back(host.run(query).status);
  }
  seen.end_cycle = launch.end_cycle;
  seen.events = host.device().fault_events();
  seen.trace = host.device().statistics().trace_hash;
  return seen;
}

TEST(FaultRuns, AreEqualForOneSeedOnAnyNumberOfThreadsAndEitherEngine) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Observed reference = run(seed, 1, EngineKind::Interpreter);
    EXPECT_GT(reference.events.size(), 8u);
    EXPECT_EQ(run(seed, 1, EngineKind::Interpreter), reference);
    for (const unsigned threads : {1u, 2u, 8u})
      EXPECT_EQ(run(seed, threads, EngineKind::Translator), reference) << threads << " threads";
  }
}

TEST(FaultRuns, DifferWithTheSeed) {
  const Observed one = run(1, 2, EngineKind::Translator), other = run(2, 2, EngineKind::Translator);
  EXPECT_NE(one.events, other.events);
  EXPECT_NE(one.statuses, other.statuses);
  EXPECT_NE(one.trace, other.trace);
}

}  // namespace
}  // namespace d1::emulator::test
