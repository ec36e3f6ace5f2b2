// SPDX-License-Identifier: Apache-2.0
// A quantum's packets are carried out in one order, whoever ran their nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <tuple>
#include <vector>

#include "packet_order.hpp"

namespace d1::emulator {
namespace {

using Key = std::tuple<std::uint64_t, NodeIndex, unsigned, std::uint32_t>;

Key key_of(const Packet& packet) {
  return {packet.departure, packet.source, packet.hart, packet.sequence};
}

struct Traffic {
  const char* what;
  std::size_t packets;
  NodeIndex nodes;
  std::uint64_t first, span;  // of departures
};

// Each node's packets lie in one outbox, in the order of their sequence.
std::vector<Outbox> outboxes_of(const Traffic& traffic, std::mt19937_64& random) {
  std::vector<Outbox> outboxes(3);
  std::vector<std::uint32_t> sequences(traffic.nodes);
  for (std::size_t i = 0; i < traffic.packets; ++i) {
    const auto source = static_cast<NodeIndex>(random() % traffic.nodes);
    Packet& packet = outboxes[source % outboxes.size()].packets.add();
    packet.departure = traffic.first + random() % traffic.span;
    packet.source = source;
    packet.hart = static_cast<std::uint8_t>(random() % 4);
    packet.sequence = sequences[source]++;
  }
  return outboxes;
}

std::vector<Key> order_of(const std::vector<Outbox>& outboxes, std::uint64_t seed) {
  PacketOrder order;
  order.sort(outboxes, seed);
  std::vector<Key> keys;
  for (std::size_t i = 0; i < order.size(); ++i) keys.push_back(key_of(order[i]));
  return keys;
}

class PacketOrders : public testing::TestWithParam<Traffic> {};

TEST_P(PacketOrders, IsByDepartureSourceHartAndSequence) {
  std::mt19937_64 random(20261126);
  for (int round = 0; round < 20; ++round) {
    const std::vector<Outbox> outboxes = outboxes_of(GetParam(), random);
    const std::vector<Key> keys = order_of(outboxes, 0);
    ASSERT_EQ(keys.size(), GetParam().packets);
    EXPECT_TRUE(std::ranges::is_sorted(keys)) << "in round " << round;
    EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end()) << "a packet comes twice";
  }
}

TEST_P(PacketOrders, ASeedPermutesSourcesOfATickAlone) {
  std::mt19937_64 random(42);
  const std::vector<Outbox> outboxes = outboxes_of(GetParam(), random);
  const std::vector<Key> keys = order_of(outboxes, 7);
  EXPECT_TRUE(std::ranges::is_sorted(
      keys, {}, [](const Key& key) { return std::get<0>(key); }));
  for (std::size_t i = 1; i < keys.size(); ++i) {
    const auto& [time, source, hart, sequence] = keys[i];
    const auto& [time_before, source_before, hart_before, sequence_before] = keys[i - 1];
    if (time != time_before || source != source_before) continue;
    EXPECT_LT(std::tuple(hart_before, sequence_before), std::tuple(hart, sequence));
  }
}

INSTANTIATE_TEST_SUITE_P(
    , PacketOrders,
    testing::Values(Traffic{"None", 0, 1, 0, 1}, Traffic{"One", 1, 1, 5, 1},
                    Traffic{"Few", 20, 4, 1000, 8}, Traffic{"ADie", 354, 354, 123456, 4096},
                    Traffic{"ATile", 9000, 9000, 1ull << 40, 8192},
                    Traffic{"AnExaPod", 3000, 1080000, 77, 100000},
                    Traffic{"ManyOfATick", 5000, 30, 9, 2},
                    Traffic{"OfAnyTime", 400, 50, 0, 1ull << 60}),
    [](const auto& traffic) { return traffic.param.what; });

}  // namespace
}  // namespace d1::emulator
