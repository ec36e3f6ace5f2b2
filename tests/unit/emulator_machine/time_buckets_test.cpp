// SPDX-License-Identifier: Apache-2.0
#include "time_buckets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace d1::emulator {
namespace {

// The definition, cycle by cycle.
class SlowSlots {
 public:
  Passage reserve(std::uint64_t time, std::uint64_t packets) {
    Passage passage{0, 0};
    for (std::uint64_t i = 0; i < packets; ++time) {
      if (busy(time)) continue;
      set(time);
      if (i++ == 0) passage.first = time;
      passage.last = time;
    }
    return passage;
  }
  void block(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t cycle = first; cycle <= last; ++cycle) set(cycle);
  }
  [[nodiscard]] bool busy(std::uint64_t cycle) const {
    return cycle < busy_.size() && busy_[cycle];
  }

 private:
  void set(std::uint64_t cycle) {
    if (cycle >= busy_.size()) busy_.resize(2 * cycle + 1);
    busy_[cycle] = true;
  }
  std::vector<bool> busy_;
};

class PacketSlotsAgainstTheDefinition : public testing::TestWithParam<unsigned> {};

TEST_P(PacketSlotsAgainstTheDefinition, GiveTheSameCyclesInAnyOrderOfStamps) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  std::mt19937 random(GetParam());
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const std::uint32_t spread = 1 + below(400);
  const std::uint32_t longest = 1 + below(12);
  const std::uint32_t step = 1 + below(2 * longest);  // from overload to mostly free
  PacketSlots slots;
  SlowSlots slow;
  std::uint64_t watermark = 0;
  std::uint64_t carried = 0;
  for (int i = 0; i < 3000; ++i) {
    watermark += below(step);
    const std::uint64_t time = watermark + below(spread);
    const std::uint64_t packets = 1 + below(longest);
    if (below(16) == 0) {
      slots.block(time, time + packets, watermark);
      slow.block(time, time + packets);
      continue;
    }
    const Passage got = slots.reserve(time, packets, watermark);
    const Passage expected = slow.reserve(time, packets);
    ASSERT_EQ(got.first, expected.first) << "call " << i;
    ASSERT_EQ(got.last, expected.last) << "call " << i;
    carried += packets;
  }
  EXPECT_EQ(slots.carried(), carried);
  for (std::uint64_t cycle = watermark; cycle < watermark + 20'000; ++cycle) {
    ASSERT_EQ(slots.busy(cycle), slow.busy(cycle)) << cycle;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PacketSlotsAgainstTheDefinition, testing::Range(1u, 41u));

TEST(PacketSlots, KeepABacklogAsOneInterval) {
  PacketSlots slots;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    EXPECT_EQ(slots.reserve(i % 3, 3, 0).last, 3 * i + 2);
  }
  EXPECT_EQ(slots.interval_count(), 1u);
}

TEST(PacketSlots, ForgetWhatLiesBeforeTheWatermark) {
  PacketSlots slots;
  std::uint32_t most = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const std::uint64_t watermark = i < 50 ? 0 : 2 * (i - 50);
    EXPECT_EQ(slots.reserve(2 * i, 1, watermark).first, 2 * i);
    most = std::max(most, slots.interval_count());
  }
  EXPECT_LE(most, 128u);
}

TEST(PacketSlots, ReachCyclesFarApartWithoutMemoryBetweenThem) {
  PacketSlots slots;
  EXPECT_EQ(slots.reserve(std::uint64_t{1} << 60, 5, 0).last, (std::uint64_t{1} << 60) + 4);
  EXPECT_EQ(slots.reserve(0, std::uint64_t{1} << 40, 0).last, (std::uint64_t{1} << 40) - 1);
  EXPECT_EQ(slots.interval_count(), 2u);
}

struct BucketCase {
  std::uint64_t capacity;
  std::uint32_t cycles;
  std::uint64_t flow;
};

class TimeBucketsOfManyShapes : public testing::TestWithParam<BucketCase> {};

TEST_P(TimeBucketsOfManyShapes, TakeAnUncontendedTransferAtItsFlowOrTheirOwnRate) {
  const auto [capacity, cycles, flow] = GetParam();
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    TimeBuckets buckets(capacity, cycles);
    const std::uint64_t time = random() % 1000;
    const std::uint64_t bytes = 1 + random() % 20'000;
    const Passage passage = buckets.reserve(time, bytes, flow, 0);
    EXPECT_EQ(passage.first, time);
    const std::uint64_t by_flow = (bytes + flow - 1) / flow;
    const std::uint64_t by_rate = (bytes * cycles + capacity - 1) / capacity;
    EXPECT_EQ(passage.last, time + std::max(by_flow, by_rate) - 1) << bytes << " at " << time;
  }
}

TEST_P(TimeBucketsOfManyShapes, NeverExceedTheCapacityOfABucketAndLoseNothing) {
  const auto [capacity, cycles, flow] = GetParam();
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    TimeBuckets buckets(capacity, cycles);
    std::uint64_t last = 0;
    std::uint64_t asked = 0;
    for (int i = 0; i < 400; ++i) {
      const std::uint64_t time = random() % (20 * cycles);
      const std::uint64_t bytes = 1 + random() % (4 * capacity);
      const Passage passage = buckets.reserve(time, bytes, flow, 0);
      EXPECT_GE(passage.first, time);
      EXPECT_GE(passage.last, passage.first);
      EXPECT_GE(passage.last + 1, time + (bytes + flow - 1) / flow);
      last = std::max(last, passage.last);
      asked += bytes;
    }
    std::uint64_t sum = 0;
    for (std::uint64_t bucket = 0; bucket <= last / cycles; ++bucket) {
      EXPECT_LE(buckets.used(bucket), capacity);
      sum += buckets.used(bucket);
    }
    EXPECT_EQ(sum, asked);
    EXPECT_EQ(buckets.carried(), asked);
  }
}

TEST_P(TimeBucketsOfManyShapes, GiveTheSameWhetherOrNotTheyForget) {
  const auto [capacity, cycles, flow] = GetParam();
  std::mt19937 random(11);
  TimeBuckets forgetful(capacity, cycles);
  TimeBuckets mindful(capacity, cycles);
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::uint64_t watermark = i * cycles;  // half of the capacity is asked for on average
    const std::uint64_t time = watermark + random() % (3 * cycles);
    const std::uint64_t bytes = 1 + random() % capacity;
    const Passage a = forgetful.reserve(time, bytes, flow, watermark);
    const Passage b = mindful.reserve(time, bytes, flow, 0);
    ASSERT_EQ(a.first, b.first);
    ASSERT_EQ(a.last, b.last);
    most = std::max(most, forgetful.segment_count());
  }
  EXPECT_LE(most, 128u);
  EXPECT_GT(mindful.segment_count(), 1000u);
}

// The definition, bucket by bucket.
Passage slow_reserve(std::vector<std::uint64_t>& used, const BucketCase& shape, std::uint64_t time,
                     std::uint64_t left) {
  const auto [capacity, cycles, flow] = shape;
  const auto at_rate = [&](std::uint64_t n) { return (n * cycles + capacity - 1) / capacity; };
  Passage passage{UINT64_MAX, 0};
  for (std::uint64_t bucket = time / cycles; left > 0; ++bucket) {
    if (bucket >= used.size()) used.resize(2 * bucket + 1);
    const std::uint64_t start = std::max(time, bucket * cycles);
    const std::uint64_t span = (bucket + 1) * cycles - start;
    const std::uint64_t taken = std::min(
        {left, capacity - used[bucket], std::min(flow, capacity) * span, capacity * span / cycles});
    if (taken == 0) continue;
    used[bucket] += taken;
    left -= taken;
    passage.first = std::min(passage.first, start);
    passage.last = std::max(start + std::max((taken + flow - 1) / flow, at_rate(taken)),
                            bucket * cycles + at_rate(used[bucket])) -
                   1;
  }
  return passage;
}

TEST_P(TimeBucketsOfManyShapes, GiveTheSameCyclesAsTheirDefinition) {
  const BucketCase shape = GetParam();
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    TimeBuckets buckets(shape.capacity, shape.cycles);
    std::vector<std::uint64_t> slow;
    for (std::uint64_t i = 0; i < 500; ++i) {
      const std::uint64_t time = random() % (i * shape.cycles / 2 + 40 * shape.cycles);
      const std::uint64_t bytes = 1 + random() % (random() % 8 == 0 ? 9 * shape.capacity : 5000);
      const Passage got = buckets.reserve(time, bytes, shape.flow, 0);
      const Passage expected = slow_reserve(slow, shape, time, bytes);
      ASSERT_EQ(got.first, expected.first) << "call " << i;
      ASSERT_EQ(got.last, expected.last) << "call " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TimeBucketsOfManyShapes,
                         testing::Values(BucketCase{64'000, 64, 64},  // a die's edge
                                         BucketCase{28'800, 64, 64},  // TTP
                                         BucketCase{1'024, 64, 64},   // PCIe: slower than a link
                                         BucketCase{16'384, 1'024, 16}),  // PCIe, wide buckets
                         [](const auto& shape) {
                           return "Capacity" + std::to_string(shape.param.capacity) + "In" +
                                  std::to_string(shape.param.cycles);
                         });

TEST(TimeBuckets, PassABacklogAtExactlyTheirRate) {
  TimeBuckets buckets(28'800, 64);  // 450 B a cycle
  std::uint64_t last = 0;
  for (int i = 0; i < 20'000; ++i) last = buckets.reserve(37, 4096, 64, 0).last;
  // Bucket 0 has its last 27 cycles only.
  const std::uint64_t in_first = 450 * 27;
  const std::uint64_t whole = std::uint64_t{20'000} * 4096;
  EXPECT_GE(last + 1, 64 + (whole - 28'800) / 450);
  EXPECT_LE(last, 64 + (whole - in_first) / 450 + 64);
}

TEST(TimeBuckets, KeepALongTransferAndABacklogAsFewSegments) {
  TimeBuckets pcie(1'024, 64);
  TimeBuckets hbm(25'600, 64);
  for (int i = 0; i < 1000; ++i) {
    pcie.reserve(5, 64 << 20, 16, 0);
    hbm.reserve(5, 64 << 20, 16, 0);
  }
  EXPECT_LE(pcie.segment_count(), 3u);
  EXPECT_LE(hbm.segment_count(), 60u);
}

TEST(TimeBuckets, LetFlowsSlowerThanThemselvesPassSideBySide) {
  TimeBuckets buckets(64'000, 64);
  for (int flow = 0; flow < 15; ++flow) {  // 15 x 64 < 1000 B a cycle
    EXPECT_EQ(buckets.reserve(0, 64 * 6400, 64, 0).last, 6399u) << flow;
  }
  EXPECT_GT(buckets.reserve(0, 64 * 6400, 64, 0).last, 6399u);
}

}  // namespace
}  // namespace d1::emulator
