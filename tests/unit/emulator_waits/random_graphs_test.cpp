// SPDX-License-Identifier: Apache-2.0
// Proofs against what then happens, on machines at random: whoever is said to be stuck never goes
// on, and where nobody runs everybody who waits is said to be stuck.
#include <gtest/gtest.h>

#include <algorithm>

#include <rounds.hpp>

#include "random_machine.hpp"

namespace d1::emulator {
namespace {

using test::RandomMachine;

struct Outcome {
  bool stands = false, runs = false, acts = false;
};

Outcome check(std::uint64_t seed) {
  RandomMachine machine(seed);
  // Looked at on its way, or when nothing happens any more.
  const std::uint64_t steps = seed % 4 == 0 ? 10'000 : seed / 4 % 60;
  for (std::uint64_t i = 0; i < steps && machine.step(); ++i) {}
  WaitGraph graph = machine.graph();
  find_who_may_move(graph);
  Outcome outcome{.acts = graph.acting_queues != 0};
  struct Claim {
    std::uint32_t node, hart;
    std::size_t progress;
  };
  std::vector<Claim> stuck;
  bool waits = false;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
    for (std::uint32_t h = 0; h < D1_HARTS; ++h) {
      const WaitGraph::Hart& hart = graph.nodes[i].harts[h];
      const bool waiting =
          hart.state == WaitGraph::Hart::Waits || hart.state == WaitGraph::Hart::Gathers;
      const bool ready = waiting && hart.kind == D1_WAIT_SEMAPHORE && hart.value >= hart.amount;
      outcome.runs = outcome.runs || hart.state == WaitGraph::Hart::Runs || ready;
      waits = waits || (waiting && hart.may_move);
      const std::uint32_t node = machine.number_of(i);
      if (waiting && !hart.may_move) stuck.push_back({node, h, machine.progress(node, h)});
    }
  EXPECT_TRUE(outcome.runs || outcome.acts || !waits) << "nobody runs, so nobody may move";
  for (int i = 0; i < 10'000 && machine.step(); ++i) {}
  for (const Claim& claim : stuck)
    EXPECT_EQ(machine.progress(claim.node, claim.hart), claim.progress)
        << "hart " << claim.hart << " of node " << claim.node << " went on";
  for (std::uint32_t i = 0; i < graph.launches.size(); ++i) {
    if (!graph.launches[i].stands) continue;
    outcome.stands = true;
    EXPECT_FALSE(machine.completed(i)) << "launch " << i << " completed";
  }
  return outcome;
}

TEST(RandomGraphs, WhoIsProvenToBeStuckNeverGoesOn) {
  constexpr std::uint64_t kSeed = 20270101;
  const int graphs = d1::test::rounds(1000) * 4;
  std::printf("seeds %llu to %llu\n", static_cast<unsigned long long>(kSeed),
              static_cast<unsigned long long>(kSeed + static_cast<unsigned>(graphs) - 1));
  int whole = 0, partly = 0, moving = 0, acting = 0;
  for (std::uint64_t seed = kSeed; seed < kSeed + static_cast<unsigned>(graphs); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Outcome outcome = check(seed);
    ++(!outcome.stands ? moving : outcome.runs ? partly : whole);
    acting += outcome.acts ? 1 : 0;
    if (testing::Test::HasFailure()) return;
  }
  std::printf("%d wholly stuck, %d partly, %d not; %d with commands to come\n", whole, partly,
              moving, acting);
  EXPECT_GT(whole, graphs / 10);
  EXPECT_GT(partly, graphs / 50);
  EXPECT_GT(moving, graphs / 10);
}

}  // namespace
}  // namespace d1::emulator
