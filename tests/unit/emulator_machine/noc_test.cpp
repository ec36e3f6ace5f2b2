// SPDX-License-Identifier: Apache-2.0
#include "d1/emulator/noc.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>

namespace d1::emulator {
namespace {

Geometry built_in(const std::string& name) { return Geometry(load_machine(name).value()); }

Geometry from_toml(const std::string& toml) {
  auto machine = parse_machine(toml, "test.toml");
  if (!machine) ADD_FAILURE() << machine.error().to_string();
  return Geometry(machine.value_or(MachineDescription{}));
}

NodeId id(std::uint32_t die, std::uint32_t row, std::uint32_t column, std::uint32_t columns = 20) {
  return {static_cast<std::uint16_t>(die), static_cast<std::uint16_t>(row * columns + column)};
}

std::vector<NodeId> usable_nodes(const Geometry& geometry) { return Grid::all(geometry).nodes(); }

bool neighbours(const Geometry& geometry, NodeId a, NodeId b) {
  const auto apart = [](std::uint32_t x, std::uint32_t y) { return x > y ? x - y : y - x; };
  return apart(geometry.mesh_row(a), geometry.mesh_row(b)) +
             apart(geometry.mesh_column(a), geometry.mesh_column(b)) ==
         1;
}

// Shortest distances inside one die, from the definition.
std::map<NodeId, std::uint32_t> distances(const Geometry& geometry, NodeId from) {
  std::map<NodeId, std::uint32_t> found{{from, 0}};
  std::queue<NodeId> open({from});
  while (!open.empty()) {
    const NodeId at = open.front();
    open.pop();
    for (const NodeId next : usable_nodes(geometry)) {
      if (next.die == at.die && neighbours(geometry, at, next) && !found.contains(next)) {
        found[next] = found[at] + 1;
        open.push(next);
      }
    }
  }
  return found;
}

TEST(NocRoutes, AreShortestInADieAndAvoidItsMissingNodes) {
  const Geometry geometry = built_in("d1");
  Noc noc(geometry);
  for (const NodeId source : {id(0, 0, 0), id(0, 1, 3), id(0, 9, 10), id(0, 17, 19)}) {
    const auto shortest = distances(geometry, source);
    for (const NodeId destination : usable_nodes(geometry)) {
      const auto path = noc.path(source, destination);
      EXPECT_EQ(path.front(), source);
      EXPECT_EQ(path.back(), destination);
      EXPECT_EQ(path.size() - 1, shortest.at(destination));
      for (std::size_t i = 0; i < path.size(); ++i) {
        EXPECT_TRUE(geometry.usable(path[i]));
        if (i > 0) {
          EXPECT_TRUE(neighbours(geometry, path[i - 1], path[i]));
        }
      }
    }
  }
}

TEST(NocRoutes, GoAlongTheRowBeforeTheColumn) {
  const Geometry geometry = from_toml("missing = []\n");
  Noc noc(geometry);
  const auto path = noc.path(id(0, 2, 3), id(0, 5, 6));
  EXPECT_EQ(path[3], id(0, 2, 6));
  const auto back = noc.path(id(0, 5, 6), id(0, 2, 3));
  EXPECT_EQ(back[3], id(0, 5, 3));
}

TEST(NocRoutes, CrossDiesAlongTheirRowThenTheirColumn) {
  const Geometry geometry = built_in("tile");
  Noc noc(geometry);
  std::mt19937 random(3);
  const auto nodes = usable_nodes(geometry);
  for (int i = 0; i < 2000; ++i) {
    const NodeId source = nodes[random() % nodes.size()];
    const NodeId destination = nodes[random() % nodes.size()];
    const auto path = noc.path(source, destination);
    std::vector<std::uint32_t> dies{source.die};
    for (std::size_t j = 1; j < path.size(); ++j) {
      ASSERT_TRUE(geometry.usable(path[j]));
      ASSERT_TRUE(neighbours(geometry, path[j - 1], path[j]));
      if (path[j].die != dies.back()) dies.push_back(path[j].die);
    }
    std::vector<std::uint32_t> expected{source.die};
    const auto step = [](std::uint32_t from, std::uint32_t to) { return to > from ? 1 : -1; };
    while (expected.back() % 5 != destination.die % 5) {
      expected.push_back(expected.back() + step(expected.back() % 5, destination.die % 5));
    }
    while (expected.back() != destination.die) {
      expected.push_back(expected.back() + 5 * step(expected.back(), destination.die));
    }
    ASSERT_EQ(dies, expected);
  }
}

TEST(NocRoutes, CrossWhereBothSidesOfABorderAreUsable) {
  const Geometry geometry = from_toml(
      "missing = []\n[dies]\ncolumns = 2\n"
      "[[die]]\nrow = 0\ncolumn = 0\nmissing = [[4, 19]]\n"
      "[[die]]\nrow = 0\ncolumn = 1\nmissing = [[3, 0], [5, 0]]\n");
  Noc noc(geometry);
  const auto crossing_row = [&](std::uint32_t row) {
    const auto path = noc.path(id(0, row, 18), id(1, row, 1));
    for (std::size_t i = 1; i < path.size(); ++i) {
      if (path[i].die == 1) return geometry.mesh_row(path[i]);
    }
    return UINT32_MAX;
  };
  EXPECT_EQ(crossing_row(1), 1u);
  EXPECT_EQ(crossing_row(3), 2u);
  EXPECT_EQ(crossing_row(4), 2u);
  EXPECT_EQ(crossing_row(5), 6u);
}

TEST(NocTime, OfATransferAloneIsTheClosedForm) {
  const Geometry geometry = built_in("tile");
  Noc noc(geometry);
  std::mt19937 random(5);
  const auto nodes = usable_nodes(geometry);
  std::uint64_t now = 0;
  for (int i = 0; i < 3000; ++i) {
    const NodeId source = nodes[random() % nodes.size()];
    const NodeId destination = i % 10 == 0 ? source : nodes[random() % nodes.size()];
    const std::uint64_t bytes = random() % 3 == 0 ? random() % 100'000 : random() % 200;
    const Route route = noc.route(source, destination);
    const std::uint64_t packets = std::max<std::uint64_t>(1, (bytes + 63) / 64);
    EXPECT_EQ(noc.send(source, destination, bytes, now),
              now + 1 + route.hops + 200 * route.crossings + packets - 1)
        << bytes << " bytes";
    now += 50'000;
    noc.retire_before(now);
  }
}

TEST(NocTime, FollowsTheParametersOfTheMachine) {
  const Geometry geometry = from_toml(
      "missing = []\n[dies]\ncolumns = 2\n"
      "[parameters]\nlink_bytes_per_cycle = 32\nhop_cycles = 3\ninjection_cycles = 2\n"
      "die_crossing_ns = 50\nclock_hz = 1_000_000_000\n");
  Noc noc(geometry);
  EXPECT_EQ(noc.send(id(0, 0, 18), id(1, 0, 4), 320, 1000), 1000u + 2 + 5 * 3 + 50 + 10 - 1);
}

TEST(NocTime, OfNeighboursSendingToOneNodeIsBoundByItsPort) {
  const Geometry geometry = from_toml("missing = []\n");
  Noc noc(geometry);
  constexpr std::uint64_t packets = 500;
  std::uint64_t last = 0;
  for (const NodeId source : {id(0, 8, 9), id(0, 8, 11), id(0, 7, 10), id(0, 9, 10)}) {
    last = std::max(last, noc.send(source, id(0, 8, 10), packets * 64, 100));
  }
  EXPECT_EQ(last, 100 + 1 + 1 + 4 * packets - 1);
  EXPECT_EQ(noc.packets_carried(id(0, 8, 10), NodePort::In), 4 * packets);
}

TEST(NocTime, OfAWholeDieSendingToOneNodeIsBoundByItsPort) {
  const Geometry geometry = built_in("d1");
  Noc noc(geometry);
  const NodeId sink = id(0, 9, 9);
  std::uint64_t last = 0;
  std::uint64_t packets = 0;
  for (int round = 0; round < 8; ++round) {
    for (const NodeId source : usable_nodes(geometry)) {
      if (source == sink) continue;
      last = std::max(last, noc.send(source, sink, 4 * 64, 0));
      packets += 4;
    }
  }
  EXPECT_GE(last + 1, packets + 2);
  EXPECT_LE(last + 1, packets + 2 + 8);  // the port is busy all the time but for a moment
}

TEST(NocTime, OfTwoTransfersOverOneLinkIsTheSumOfTheirPackets) {
  const Geometry geometry = from_toml("missing = []\n");
  Noc noc(geometry);
  constexpr std::uint64_t packets = 100;
  EXPECT_EQ(noc.send(id(0, 5, 0), id(0, 5, 10), packets * 64, 0), 1 + 10 + packets - 1);
  // One packet gets in front of the first transfer, the rest follows it.
  EXPECT_EQ(noc.send(id(0, 5, 1), id(0, 5, 11), packets * 64, 0), 1 + 10 + 2 * packets - 1);
  // The other direction of the same link is free.
  EXPECT_EQ(noc.send(id(0, 5, 11), id(0, 5, 1), packets * 64, 0), 1 + 10 + packets - 1);
}

TEST(NocTime, OfASourceSendingToManyIsBoundByItsPort) {
  const Geometry geometry = from_toml("missing = []\n");
  Noc noc(geometry);
  std::uint64_t last = 0;
  for (const NodeId to : {id(0, 8, 9), id(0, 8, 11), id(0, 7, 10), id(0, 9, 10)}) {
    last = std::max(last, noc.send(id(0, 8, 10), to, 64 * 64, 0));
  }
  EXPECT_EQ(last, 1u + 1 + 4 * 64 - 1);
}

TEST(NocTime, OverADiesEdgeReachesButNeverExceedsItsBandwidth) {
  const Geometry geometry = from_toml("missing = []\n[dies]\ncolumns = 2\n");
  Noc noc(geometry);
  constexpr std::uint64_t rounds = 200;
  constexpr std::uint64_t bytes = 32 * 64;
  std::uint64_t last = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint32_t row = 0; row < 18; ++row) {
      last = std::max(last, noc.send(id(0, row, 19), id(1, row, 0), bytes, round * 32));
    }
  }
  const std::uint64_t latency = 1 + 200;
  const std::uint64_t whole = rounds * 18 * bytes;
  EXPECT_GE(last - latency + 1, whole / 1000);  // 18 links could do 1152 B a cycle
  EXPECT_LE(last - latency + 1, whole / 1000 * 101 / 100 + 64);
  EXPECT_EQ(noc.bytes_carried_by_edge(0, Direction::East), whole);
  EXPECT_EQ(noc.bytes_carried_by_edge(1, Direction::West), 0u);
}

TEST(NocTime, OverATilesEdgeReachesButNeverExceedsItsBandwidth) {
  const Geometry geometry = from_toml("missing = []\n[dies]\nrows = 5\ncolumns = 6\n");
  Noc noc(geometry);
  constexpr std::uint64_t rounds = 100;
  constexpr std::uint64_t bytes = 32 * 64;
  std::uint64_t last = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint32_t row = 0; row < 90; ++row) {
      const NodeId from = geometry.at(row, 99);
      const NodeId to = geometry.at(row, 100);
      last = std::max(last, noc.send(from, to, bytes, round * 32));
    }
  }
  const std::uint64_t whole = rounds * 90 * bytes;
  EXPECT_GE(last + 1, 200 + whole / 2250);  // the first bucket begins at cycle 0
  EXPECT_LE(last + 1, 201 + whole / 2250 * 101 / 100 + 64);
}

TEST(NocTime, KeepsTransfersBetweenTwoNodesInOrderUnderAnyContention) {
  const Geometry geometry = from_toml("[dies]\nrows = 2\ncolumns = 6\n");
  const auto nodes = usable_nodes(geometry);
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    // Few nodes at both sides of a tile's edge, so that everything is crowded.
    std::vector<NodeId> some;
    for (int i = 0; i < 30; ++i) some.push_back(nodes[random() % nodes.size()]);
    Noc noc(geometry);
    std::map<std::pair<NodeId, NodeId>, std::uint64_t> latest;
    std::uint64_t departure = 0;
    for (int i = 0; i < 8'000; ++i) {
      if (random() % 4 == 0) departure += random() % 20;
      const NodeId source = some[random() % some.size()];
      const NodeId destination = some[random() % some.size()];
      const std::uint64_t bytes = random() % 20 == 0 ? random() % 50'000 : random() % 300;
      const std::uint64_t arrival = noc.send(source, destination, bytes, departure);
      std::uint64_t& before = latest[{source, destination}];
      ASSERT_GT(arrival, before) << "call " << i;
      before = arrival;
    }
  }
}

TEST(NocTime, DependsOnNothingButTheCallsAndNotOnForgetting) {
  const Geometry geometry = from_toml("[dies]\nrows = 1\ncolumns = 3\n");
  const auto nodes = usable_nodes(geometry);
  Noc mindful(geometry);
  Noc forgetful(geometry);
  std::mt19937 random(9);
  std::uint64_t quantum = 0;
  for (int i = 0; i < 60'000; ++i) {
    if (i % 100 == 0) {
      quantum += 2000;
      forgetful.retire_before(quantum);
    }
    const NodeId source = nodes[random() % nodes.size()];
    const NodeId destination = nodes[random() % 40];
    const std::uint64_t bytes = random() % 5000;
    const std::uint64_t departure = quantum + random() % 2000;
    ASSERT_EQ(forgetful.send(source, destination, bytes, departure),
              mindful.send(source, destination, bytes, departure));
  }
}

TEST(NocMemory, IsTakenOnlyForDiesThatPacketsPass) {
  const Geometry geometry = built_in("exapod");
  Noc noc(geometry);
  EXPECT_EQ(noc.dies_in_use(), 0u);
  noc.send(id(0, 0, 0), id(2, 0, 0), 64, 0);
  EXPECT_EQ(noc.dies_in_use(), 3u);
}

TEST(NocMulticast, AloneArrivesEverywhereAsASingleSendWould) {
  const Geometry geometry = built_in("tile");
  const auto nodes = usable_nodes(geometry);
  Noc noc(geometry);
  std::vector<std::uint64_t> arrivals(nodes.size());
  noc.multicast(id(12, 9, 9), nodes, 300, 70, arrivals);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Route route = noc.route(id(12, 9, 9), nodes[i]);
    ASSERT_EQ(arrivals[i], 70 + 1 + route.hops + 200 * route.crossings + 5 - 1);
  }
}

TEST(NocMulticast, PassesEveryLinkOfItsRoutesOnce) {
  const Geometry geometry = built_in("d1");
  const auto nodes = usable_nodes(geometry);
  Noc noc(geometry);
  std::vector<std::uint64_t> arrivals(nodes.size());
  const NodeId source = id(0, 7, 7);
  noc.multicast(source, nodes, 640, 0, arrivals);
  std::set<std::pair<NodeId, NodeId>> links;
  for (const NodeId node : nodes) {
    const auto path = noc.path(source, node);
    for (std::size_t i = 1; i < path.size(); ++i) links.emplace(path[i - 1], path[i]);
  }
  std::uint64_t carried = 0;
  for (const NodeId node : nodes) {
    for (const NodePort port : {NodePort::East, NodePort::West, NodePort::South, NodePort::North}) {
      carried += noc.packets_carried(node, port);
      EXPECT_LE(noc.packets_carried(node, port), 10u);
    }
    EXPECT_EQ(noc.packets_carried(node, NodePort::In), 10u);
  }
  EXPECT_EQ(carried, links.size() * 10);
  EXPECT_EQ(noc.packets_carried(source, NodePort::Out), 10u);
}

TEST(NocMulticast, ByAPlanIsTheSameEveryTime) {
  const Geometry geometry = built_in("tile");
  const auto nodes = usable_nodes(geometry);
  const std::span<const NodeId> some(nodes.data() + 100, 900);
  Noc planned(geometry);
  Noc direct(geometry);
  const MulticastPlan plan = planned.plan(nodes[0], some);
  EXPECT_EQ(plan.destination_count(), 900u);
  std::vector<std::uint64_t> expected(some.size());
  std::vector<std::uint64_t> arrivals(some.size());
  for (std::uint64_t departure = 0; departure < 400; departure += 10) {  // they get in each
    planned.multicast(plan, 2000, departure, arrivals);                  // other's way
    direct.multicast(nodes[0], some, 2000, departure, expected);
    ASSERT_EQ(arrivals, expected);
  }
}

TEST(NocDip, TransfersAloneTakeTheirClosedForms) {
  const Geometry geometry = built_in("d1");
  Noc noc(geometry);
  const std::uint64_t ttp = 200;
  const std::uint64_t hbm = 200;
  const std::uint64_t pcie = 1000;
  const NodeId node = id(0, 6, 12);  // its row's port is 12 hops away
  EXPECT_EQ(noc.send_to_dip(node, 0, DipEnd::Hbm, 6400, 0), 1 + 12 + ttp + hbm + 100 - 1);
  EXPECT_EQ(noc.send_to_dip(node, 0, DipEnd::Processor, 1, 100'000), 100'000 + 1 + 12 + ttp);
  EXPECT_EQ(noc.send_from_dip(0, DipEnd::Hbm, node, 6400, 200'000),
            200'000 + hbm + ttp + 12 + 100 - 1);
  // PCIe moves 16 B a cycle, a quarter of a link.
  EXPECT_EQ(noc.send_from_dip(0, DipEnd::Host, node, 6400, 300'000),
            300'000 + pcie + ttp + 12 + 400 - 1);
  EXPECT_EQ(noc.host_to_hbm(0, 1 << 20, 400'000), 400'000 + pcie + hbm + (1 << 20) / 16 - 1);
  EXPECT_EQ(noc.hbm_to_host(0, 1 << 20, 600'000), 600'000 + pcie + hbm + (1 << 20) / 16 - 1);
  EXPECT_EQ(noc.host_to_dip(0, 4, 800'000), 800'000 + pcie + 4 - 1);
  EXPECT_EQ(noc.dip_to_host(0, 16, 900'000), 900'000 + pcie + 4 - 1);
}

TEST(NocDip, MulticastReachesAllNodesFromItsMiddlePort) {
  const Geometry geometry = built_in("d1");
  const auto nodes = usable_nodes(geometry);
  Noc noc(geometry);
  std::vector<std::uint64_t> arrivals(nodes.size());
  noc.multicast_from_dip(0, DipEnd::Processor, nodes, 64, 0, arrivals);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    EXPECT_EQ(arrivals[i], 200 + noc.route(geometry.dip_port(0), nodes[i]).hops);
  }
}

TEST(NocDip, HbmReachesButNeverExceedsItsBandwidth) {
  const Geometry geometry = from_toml("missing = []\n");
  Noc noc(geometry);
  std::uint64_t last = 0;
  std::uint64_t whole = 0;
  for (std::uint64_t round = 0; round < 100; ++round) {
    for (std::uint32_t row = 0; row < 18; ++row) {
      last = std::max(last, noc.send_from_dip(0, DipEnd::Hbm, id(0, row, 3), 2048, round * 32));
      whole += 2048;
    }
  }
  EXPECT_GE(last + 1, 400 + 3 + whole / 400);
  EXPECT_LE(last + 1, 400 + 3 + whole / 400 * 101 / 100 + 64);
}

TEST(NocDip, TtpReachesButNeverExceedsItsBandwidth) {
  const Geometry geometry = from_toml("missing = []\n");
  Noc noc(geometry);
  std::uint64_t last = 0;
  std::uint64_t whole = 0;
  for (std::uint64_t round = 0; round < 100; ++round) {
    for (std::uint32_t row = 0; row < 18; ++row) {
      last = std::max(last, noc.send_to_dip(id(0, row, 0), 0, DipEnd::Processor, 2048, round * 32));
      whole += 2048;
    }
  }
  EXPECT_GE(last + 1, 200 + whole / 450);  // the first bucket begins at cycle 0
  EXPECT_LE(last + 1, 201 + whole / 450 * 101 / 100 + 64);
}

}  // namespace
}  // namespace d1::emulator
