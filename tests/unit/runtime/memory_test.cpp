// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/mailbox.h>
#include <d1/abi/memory_map.h>
#include <gtest/gtest.h>
#include <d1/runtime/memory.hpp>

#include <random>
#include <vector>

namespace d1::runtime {
namespace {

constexpr std::uint64_t kNodes = 360;
constexpr std::uint64_t kHeapEnd = D1_STACK_TOP - D1_HARTS * D1_STACK_BYTES;

NodeSet nodes(std::uint64_t first, std::uint64_t last) {
  NodeSet set(kNodes);
  for (auto node = first; node <= last; ++node) set.add(node);
  return set;
}

TEST(NodeSet, IntersectionInclusionAndRemoval) {
  NodeSet a = nodes(0, 99), b = nodes(50, 200);
  EXPECT_TRUE(a.intersects(b));
  EXPECT_FALSE(a.intersects(nodes(100, 200)));
  EXPECT_TRUE(a.includes(nodes(3, 80)));
  EXPECT_FALSE(a.includes(b));
  b.remove(a);
  EXPECT_FALSE(a.intersects(b));
  EXPECT_TRUE(b.contains(100));
  b.remove(nodes(100, 200));
  EXPECT_TRUE(b.empty());
}

TEST(SramAllocator, BuffersLieBelowTheStacksAndDoNotOverlapWhereNodesAreShared) {
  SramAllocator sram;
  const auto a = sram.allocate(nodes(0, 99), 1000, 64);
  const auto b = sram.allocate(nodes(50, 150), 1000, 64);
  const auto c = sram.allocate(nodes(200, 300), 1000, 64);
  ASSERT_TRUE(a && b && c);
  EXPECT_LE(sram.range(*a).offset + 1000u, kHeapEnd);
  EXPECT_LE(sram.range(*b).offset + 1000u, sram.range(*a).offset);
  EXPECT_EQ(sram.range(*c).offset, sram.range(*a).offset) << "other nodes: the same place";
  EXPECT_EQ(sram.range(*b).offset % 64, 0u);
}

TEST(SramAllocator, RandomUseKeepsEveryPairApart) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  SramAllocator sram;
  std::vector<SramAllocator::Id> live;
  for (int round = 0; round < 2000; ++round) {
    if (live.empty() || random() % 3 != 0) {
      const auto first = random() % kNodes;
      const auto last = first + random() % (kNodes - first);
      const auto id = sram.allocate(nodes(first, last), 1 + random() % 100000, 64);
      if (!id) continue;
      const auto& mine = sram.range(*id);
      ASSERT_GE(mine.offset, D1_PROGRAM_BASE);
      ASSERT_LE(mine.offset + mine.bytes, kHeapEnd);
      for (const auto other : live) {
        const auto& theirs = sram.range(other);
        const bool apart = mine.offset + mine.bytes <= theirs.offset ||
                           theirs.offset + theirs.bytes <= mine.offset;
        ASSERT_TRUE(apart || !mine.nodes.intersects(theirs.nodes));
      }
      live.push_back(*id);
    } else {
      const auto index = random() % live.size();
      sram.release(live[index]);
      live.erase(live.begin() + static_cast<long>(index));
    }
  }
  for (const auto id : live) sram.release(id);
  EXPECT_EQ(sram.largest_free(nodes(0, kNodes - 1)), kHeapEnd - D1_PROGRAM_BASE);
}

TEST(SramAllocator, AFullNodeSaysWhatIsLeft) {
  SramAllocator sram;
  ASSERT_TRUE(sram.allocate(nodes(0, 0), 1 << 20, 64));
  const auto more = sram.allocate(nodes(0, 5), 1 << 20, 64);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind(), ErrorKind::ResourceExhausted);
  EXPECT_NE(more.error().sentence().find("1048576 bytes"), std::string::npos);
}

TEST(SramAllocator, AProgramTakesOverOtherProgramsButNoBuffer) {
  SramAllocator sram;
  ASSERT_TRUE(sram.reserve_program(nodes(0, 99), D1_PROGRAM_BASE, 5000));
  ASSERT_TRUE(sram.reserve_program(nodes(0, 99), D1_PROGRAM_BASE, 9000));
  const auto buffer = sram.allocate(nodes(0, 0), kHeapEnd - D1_PROGRAM_BASE - 9064, 64);
  ASSERT_TRUE(buffer) << "the larger program is what counts";
  EXPECT_FALSE(sram.reserve_program(nodes(0, 99), D1_PROGRAM_BASE, 20000));
  sram.release(*buffer);
  EXPECT_TRUE(sram.reserve_program(nodes(0, 99), D1_PROGRAM_BASE, 20000));
}

TEST(HbmAllocator, GapsAreUsedAgainAndFullIsSaid) {
  HbmAllocator hbm(1 << 20);
  const auto a = hbm.allocate(1000, 64), b = hbm.allocate(1000, 64), c = hbm.allocate(1000, 64);
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(*b, 1024u);
  hbm.release(*b);
  EXPECT_EQ(*hbm.allocate(900, 64), 1024u);
  const auto large = hbm.allocate(1 << 20, 64);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind(), ErrorKind::ResourceExhausted);
}

}  // namespace
}  // namespace d1::runtime
