// SPDX-License-Identifier: Apache-2.0
// Copies that are put off leave the same bytes as copies made at once, one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "pending_copies.hpp"

namespace d1::emulator {
namespace {

constexpr NodeIndex kNodes = 4;
constexpr std::size_t kBytes = 256 << 10;

using Memories = std::array<std::vector<std::uint8_t>, kNodes>;

Memories numbered() {
  Memories memories;
  std::uint32_t value = 1;
  for (auto& memory : memories) {
    memory.resize(kBytes);
    for (std::uint8_t& byte : memory) byte = static_cast<std::uint8_t>((value *= 1664525) >> 24);
  }
  return memories;
}

struct Transfer {
  NodeIndex to, from;
  std::uint64_t to_offset, from_offset, to_pitch, from_pitch;
  std::uint32_t rows, row_bytes;
};

void add(PendingCopies& copies, Memories& memories, const Transfer& t) {
  copies.add({t.to, t.to_offset, memories[t.to].data() + t.to_offset, t.to_pitch},
             {t.from, t.from_offset, memories[t.from].data() + t.from_offset, t.from_pitch}, t.rows,
             t.row_bytes);
}

// Anywhere, of any shape that fits; within a node the two places do not overlap.
Transfer random_transfer(std::mt19937_64& random, std::uint32_t most_row_bytes) {
  for (;;) {
    Transfer t{};
    t.to = static_cast<NodeIndex>(random() % kNodes);
    t.from = static_cast<NodeIndex>(random() % kNodes);
    t.rows = static_cast<std::uint32_t>(random() % 4 + 1);
    t.row_bytes = static_cast<std::uint32_t>(random() % most_row_bytes + 1);
    t.to_pitch = t.row_bytes + random() % 100;
    t.from_pitch = t.row_bytes + random() % 100;
    t.to_offset = random() % kBytes;
    t.from_offset = random() % kBytes;
    const std::uint64_t to_end = t.to_offset + t.rows * t.to_pitch;
    const std::uint64_t from_end = t.from_offset + t.rows * t.from_pitch;
    if (to_end > kBytes || from_end > kBytes) continue;
    if (t.to == t.from && t.to_offset < from_end && t.from_offset < to_end) continue;
    return t;
  }
}

TEST(PendingCopies, LeaveWhatCopiesAtOnceLeave) {
  WorkerPool pool(3);
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    Memories put_off = numbered(), at_once = numbered();
    PendingCopies pending, plain;
    pending.share_with(&pool);
    // Some of them so many bytes between two conflicts that they are shared.
    const auto most = seed % 2 == 0 ? 1u << 10 : 60u << 10;
    for (int i = 0; i < 300; ++i) {
      const Transfer transfer = random_transfer(random, most);
      add(pending, put_off, transfer);
      add(plain, at_once, transfer);
    }
    pending.finish();
    ASSERT_EQ(put_off, at_once) << "seed " << seed;
  }
}

// More bytes than caches keep: written past them, odd beginnings and ends and all.
TEST(PendingCopies, OfManyBytesArriveWhole) {
  WorkerPool pool(2);
  Memories memories = numbered();
  const Memories before = memories;
  PendingCopies pending;
  pending.share_with(&pool);
  constexpr std::uint32_t kRow = 100'001;
  for (int i = 0; i < 100; ++i)  // 10 MB: the same again and again, from node 0 to node 1
    add(pending, memories, {1, 0, 7, 3, kRow, kRow, 1, kRow});
  pending.finish();
  EXPECT_TRUE(std::equal(&memories[1][7], &memories[1][7] + kRow, &before[0][3]));
  EXPECT_TRUE(std::equal(&memories[1][0], &memories[1][7], &before[1][0]));
  EXPECT_TRUE(std::equal(&memories[1][7 + kRow], &memories[1][0] + kBytes, &before[1][7 + kRow]));
}

// A reader comes after what an earlier copy writes; a writer after what an earlier one reads.
TEST(PendingCopies, ThatTouchWhatOthersTouchComeAfterThem) {
  constexpr std::uint32_t kBig = 64 << 10;
  WorkerPool pool(2);
  Memories memories = numbered();
  const Memories before = memories;
  PendingCopies pending;
  pending.share_with(&pool);
  add(pending, memories, {1, 0, 0, 0, kBig, kBig, 1, kBig});
  add(pending, memories, {2, 1, 0, 0, kBig, kBig, 1, kBig});
  add(pending, memories, {0, 3, 0, 0, kBig, kBig, 1, kBig});
  add(pending, memories, {1, 3, 5, 0, 8, 8, 1, 8});  // a small one
  pending.finish();
  EXPECT_EQ(std::memcmp(memories[2].data(), before[0].data(), kBig), 0);
  EXPECT_EQ(std::memcmp(memories[0].data(), before[3].data(), kBig), 0);
  EXPECT_EQ(std::memcmp(memories[1].data() + 5, before[3].data(), 8), 0);
  EXPECT_EQ(std::memcmp(memories[1].data() + 13, before[0].data() + 13, kBig - 13), 0);
}

}  // namespace
}  // namespace d1::emulator
