// SPDX-License-Identifier: Apache-2.0
// The rules of the proof one by one: what may let somebody go on, and what never does.
#include <gtest/gtest.h>

#include "debug/wait_graph.hpp"

namespace d1::emulator {
namespace {

using Hart = WaitGraph::Hart;
using Command = WaitGraph::Command;

Hart at_semaphore(std::uint64_t amount = 1, std::uint64_t value = 0) {
  return {.state = Hart::Waits, .kind = D1_WAIT_SEMAPHORE, .amount = amount, .value = value};
}
Hart at(d1_wait_kind kind, std::uint64_t amount = 4) {
  return {.state = Hart::Waits, .kind = kind, .amount = amount};
}
Hart in(Hart::State state) { return {.state = state}; }

class WaitGraphTest : public testing::Test {
 protected:
  // A launch of one node more with these harts, those left out absent; the number of its node.
  std::uint32_t add(std::vector<Hart> harts, std::uint32_t launch = 0) {
    while (graph.launches.size() <= launch) graph.launches.emplace_back();
    WaitGraph::Launch& of = graph.launches[launch];
    const auto number = static_cast<std::uint32_t>(graph.nodes.size());
    of.harts = static_cast<std::uint32_t>(harts.size());
    WaitGraph::Node& node = graph.nodes.emplace_back();
    node.launch = launch;
    node.rank = static_cast<std::uint32_t>(of.nodes.size());
    of.nodes.push_back(number);
    ++of.missing;
    for (unsigned i = 0; i < harts.size(); ++i) {
      node.harts[i] = harts[i];
      if (harts[i].kind == D1_WAIT_NODE_BARRIER) node.at_node_barrier |= 1u << i;
      if (harts[i].kind == D1_WAIT_GRID_BARRIER) node.at_grid_barrier |= 1u << i;
    }
    return number;
  }
  void arrive(std::uint32_t node) {
    graph.nodes[node].at_grid_barrier = 0;
    graph.nodes[node].arrived = true;
    --graph.launches[graph.nodes[node].launch].missing;
  }
  bool stands(std::uint32_t launch = 0) {
    find_who_may_move(graph);
    return graph.launches[launch].stands;
  }
  WaitGraph graph;
};

TEST_F(WaitGraphTest, SemaphoresOfHartsThatAllWaitAreNeverPosted) {
  add({at_semaphore(), at_semaphore()});
  EXPECT_TRUE(stands());
}

TEST_F(WaitGraphTest, AnyHartThatRunsMayPostAnySemaphore) {
  add({at_semaphore()}, 0);
  add({in(Hart::Runs)}, 1);
  EXPECT_FALSE(stands());
}

TEST_F(WaitGraphTest, AHartThatAFaultHoldsOrIsAboutToStartMayPost) {
  for (const Hart::State state : {Hart::Held, Hart::Starting}) {
    graph = {};
    add({at_semaphore(), in(state)});
    EXPECT_FALSE(stands());
  }
  graph = {};
  add({at_semaphore(), in(Hart::Ended), in(Hart::Absent), in(Hart::Stopped)});
  EXPECT_TRUE(stands());
}

TEST_F(WaitGraphTest, PostsThatAreStillToArriveCount) {
  add({at_semaphore(3, 2)});
  EXPECT_TRUE(stands());
  graph.nodes[0].harts[0].value = 3;
  EXPECT_FALSE(stands());
}

TEST_F(WaitGraphTest, PacketsOnTheirWayAndFaultsMayLetAnybodyGoOn) {
  add({at_semaphore(), at(D1_WAIT_REMOTE_ACCESS), at(D1_WAIT_TRANSFER), at(D1_WAIT_INTERRUPT)});
  EXPECT_TRUE(stands());
  graph.packets_held = 1;
  EXPECT_FALSE(stands());
  graph.packets_held = 0;
  for (WaitGraph::Node& node : graph.nodes)
    for (Hart& hart : node.harts) hart.may_move = false;
  graph.faults = 1;
  EXPECT_FALSE(stands());
}

TEST_F(WaitGraphTest, AHostThatWillActMayLetItsLaunchAndSoOthersGoOn) {
  add({at_semaphore()}, 0);
  add({at_semaphore()}, 1);
  graph.launches[1].host_interactive = true;
  EXPECT_FALSE(stands(0));
  EXPECT_FALSE(stands(1));
}

TEST_F(WaitGraphTest, ANodeBarrierIsReachedByItsOwnHartsOnly) {
  add({at(D1_WAIT_NODE_BARRIER, 2), in(Hart::Ended)}, 0);
  add({in(Hart::Runs)}, 1);
  EXPECT_TRUE(stands(0)) << "though somebody runs elsewhere";
  EXPECT_FALSE(stands(1));
  graph.nodes[0].harts[1] = at_semaphore();
  EXPECT_FALSE(stands(0)) << "the missing one may be posted to";
}

TEST_F(WaitGraphTest, AGridBarrierThatTooFewCanReachIsNeverPassed) {
  const auto first = add({at(D1_WAIT_GRID_BARRIER, 1)});
  arrive(first);
  add({in(Hart::Runs)});
  add({at(D1_WAIT_NODE_BARRIER, 2)});
  EXPECT_TRUE(stands()) << "two nodes are missing and one hart runs";
  graph.nodes[2].harts[0] = in(Hart::Runs);
  EXPECT_FALSE(stands());
}

TEST_F(WaitGraphTest, HartsAtTheGridBarrierOfANodeThatCannotArriveAreStuck) {
  add({at(D1_WAIT_GRID_BARRIER, 2), in(Hart::Ended)});
  add({in(Hart::Runs), in(Hart::Runs)});
  EXPECT_TRUE(stands());
}

TEST_F(WaitGraphTest, WhoGathersWaitsForTheOthersOfItsNode) {
  Hart gathers = at_semaphore();
  gathers.state = Hart::Gathers;
  add({gathers, in(Hart::Absent)}, 0);
  add({in(Hart::Runs)}, 1);
  EXPECT_TRUE(stands()) << "one has halted";
  graph.nodes[0].harts[1] = in(Hart::Runs);
  EXPECT_FALSE(stands());
}

TEST_F(WaitGraphTest, CommandsThatComeByThemselvesMayPost) {
  add({at_semaphore()});
  graph.queues = {{{.kind = Command::RunsLaunch}, {.kind = Command::Posts}}};
  EXPECT_TRUE(stands()) << "behind the launch itself it never comes";
  graph.queues.push_back({{.kind = Command::Passes}, {.kind = Command::Posts}});
  EXPECT_FALSE(stands());
  EXPECT_EQ(graph.acting_queues, 2u) << "and then the launch may end, so the first queue goes on";
}

TEST_F(WaitGraphTest, AQueueThatWaitsForASignalBehindTheLaunchNeverComesToItsCommands) {
  add({at_semaphore()});
  graph.queues = {{{.kind = Command::RunsLaunch},
                   {.kind = Command::Signals, .event = 3, .value = 5}},
                  {{.kind = Command::WaitsForEvent, .event = 3, .value = 5},
                   {.kind = Command::Posts}}};
  EXPECT_TRUE(stands());
  graph.queues[1][0].value = 6;
  EXPECT_FALSE(stands()) << "no queue signals that: the host may";
}

TEST_F(WaitGraphTest, ACommandThatStopsNodesMayEndIt) {
  add({at(D1_WAIT_NODE_BARRIER, 2)});
  graph.queues = {{{.kind = Command::Posts}}};
  EXPECT_TRUE(stands()) << "no post passes a barrier";
  graph.queues = {{{.kind = Command::Interferes}}};
  EXPECT_FALSE(stands());
}

TEST_F(WaitGraphTest, WhomABarrierMissesIsNamed) {
  add({at(D1_WAIT_NODE_BARRIER, 3), in(Hart::Ended), at(D1_WAIT_NODE_BARRIER, 3)});
  const MissedHart missed = missed_by(graph, graph.nodes[0], graph.nodes[0].harts[0]);
  EXPECT_EQ(missed.node, 0u);
  EXPECT_EQ(missed.hart, 1u);
  EXPECT_EQ(missed.missing, 1u);
}

}  // namespace
}  // namespace d1::emulator
