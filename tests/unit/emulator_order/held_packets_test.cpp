// SPDX-License-Identifier: Apache-2.0
// What a seed holds back comes back, once, and never out of a promised order.
#include <gtest/gtest.h>

#include <d1/abi/memory_map.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "held_packets.hpp"

namespace d1::emulator {
namespace {

constexpr NodeIndex kNodes = 3;

Packet random_packet(std::mt19937_64& random, std::uint32_t sequence) {
  Packet packet;
  packet.source = static_cast<NodeIndex>(random() % kNodes);
  packet.destination = static_cast<NodeIndex>(random() % kNodes);
  packet.sequence = sequence;
  switch (random() % 5) {
    case 0:
      packet.kind = PacketKind::Post;
      return packet;
    case 1:
      packet.transfer.kind = D1_TRANSFER_GET;
      break;
    case 2:
      packet.transfer.kind = D1_TRANSFER_MULTICAST;
      break;
    default:
      packet.transfer.kind = D1_TRANSFER_PUT;
      break;
  }
  packet.kind = PacketKind::Transfer;
  packet.transfer.remote =
      random() % 4 == 0 ? d1_hbm_address(64) : d1_node_address(0, packet.destination, 0x1000);
  return packet;
}

// Destinations a put of the packet reaches.
std::vector<NodeIndex> reached(const Packet& packet) {
  if (packet.kind != PacketKind::Transfer || packet.transfer.kind == D1_TRANSFER_GET) return {};
  if (packet.transfer.kind == D1_TRANSFER_MULTICAST) return {0, 1, 2};
  if (d1_address_kind(packet.transfer.remote) == D1_ADDRESS_HBM) return {};
  return {packet.destination};
}

struct Played {
  std::vector<std::uint32_t> order;  // sequence numbers as they were carried out
  unsigned held = 0, left = 0;
};

Played play(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  HeldPackets held;
  Played played;
  std::map<std::uint32_t, Packet> sent;
  std::map<std::pair<NodeIndex, NodeIndex>, std::uint32_t> last;
  const auto carry_out = [&](const Packet& packet) {
    played.order.push_back(packet.sequence);
    for (const NodeIndex to : reached(packet)) {
      std::uint32_t& before = last[{packet.source, to}];
      EXPECT_GT(packet.sequence, before) << "a put overtook one to the same node, seed " << seed;
      before = packet.sequence;
    }
  };
  std::uint32_t sequence = 0;
  for (int commit = 0; commit < 200 || !held.empty(); ++commit) {
    for (const HeldPackets::Entry& entry : held.release()) {
      EXPECT_EQ(entry.launch, entry.packet.source + 7u);
      carry_out(entry.packet);
    }
    for (unsigned i = commit < 200 ? random() % 4 : 0; i != 0; --i) {
      const Packet packet = random_packet(random, ++sequence);
      sent[sequence] = packet;
      if (const auto* entry = held.take(packet, packet.source + 7u, seed); entry == nullptr) {
        carry_out(packet);
      } else {
        ++played.held;
        played.left += entry->left ? 1 : 0;
        EXPECT_FALSE(entry->left && packet.transfer.kind != D1_TRANSFER_PUT);
      }
    }
    EXPECT_LT(commit, 210) << "something is never released, seed " << seed;
    if (commit >= 210) break;
  }
  EXPECT_EQ(std::set<std::uint32_t>(played.order.begin(), played.order.end()).size(), sent.size());
  EXPECT_EQ(played.order.size(), sent.size()) << "seed " << seed;
  return played;
}

TEST(HeldPackets, ComeBackOnceAndInEveryPromisedOrder) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Played played = play(seed);
    EXPECT_GT(played.held, played.order.size() / 4);
    EXPECT_GT(played.left, 0u);
    EXPECT_FALSE(std::ranges::is_sorted(played.order));
  }
}

TEST(HeldPackets, OneSeedHoldsBackTheSame) {
  EXPECT_EQ(play(11).order, play(11).order);
  EXPECT_NE(play(11).order, play(12).order);
}

TEST(HeldPackets, WithoutASeedNothingIsHeldBack) {
  const Played played = play(0);
  EXPECT_EQ(played.held, 0u);
  EXPECT_TRUE(std::ranges::is_sorted(played.order));
}

TEST(HeldPackets, BlockingAccessesAndCompletionsAreNeverTaken) {
  HeldPackets held;
  for (std::uint32_t sequence = 0; sequence < 100; ++sequence)
    for (const PacketKind kind :
         {PacketKind::Load, PacketKind::Store, PacketKind::Amo, PacketKind::GridBarrier,
          PacketKind::Complete, PacketKind::Print, PacketKind::Stopped}) {
      Packet packet;
      packet.kind = kind;
      packet.sequence = sequence;
      EXPECT_EQ(held.take(packet, 0, 5), nullptr);
    }
}

}  // namespace
}  // namespace d1::emulator
