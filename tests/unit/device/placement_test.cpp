// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/placement.h>
#include <gtest/gtest.h>

namespace {

constexpr std::uint64_t kCounts[] = {0, 1, 15, 16, 17, 1000, 4096, 65537, 1u << 20};
constexpr std::uint64_t kNodes[] = {1, 2, 3, 16, 20, 354, 8850};
constexpr std::uint64_t kSizes[] = {1, 2, 3, 4, 8, 12, 16, 64, 96, 100};

template <typename Check>
void for_all(Check check) {
  for (const auto count : kCounts)
    for (const auto nodes : kNodes)
      for (const auto bytes : kSizes) check(count, nodes, bytes);
}

}  // namespace

TEST(Placement, ChunksHoldEveryElementOnceInOrder) {
  for_all([](std::uint64_t count, std::uint64_t nodes, std::uint64_t bytes) {
    const std::uint64_t chunk = d1_shard_chunk(count, nodes, bytes);
    std::uint64_t next = 0;
    for (std::uint64_t rank = 0; rank < nodes; ++rank) {
      ASSERT_EQ(d1_shard_first(count, chunk, rank), next) << count << " on " << nodes;
      ASSERT_LE(d1_shard_size(count, chunk, rank), chunk);
      next += d1_shard_size(count, chunk, rank);
    }
    ASSERT_EQ(next, count) << "elements of " << bytes << " bytes on " << nodes << " nodes";
  });
}

TEST(Placement, AChunkIsTheLeastWholeNumberOfPackets) {
  for_all([](std::uint64_t count, std::uint64_t nodes, std::uint64_t bytes) {
    const std::uint64_t chunk = d1_shard_chunk(count, nodes, bytes);
    ASSERT_EQ(chunk * bytes % D1_PLACEMENT_ALIGNMENT, 0u);
    ASSERT_GE(chunk * nodes, count);
    for (std::uint64_t less = 0; less < chunk; ++less)
      if (less * bytes % D1_PLACEMENT_ALIGNMENT == 0) {
        ASSERT_LT(less * nodes, count) << less << " instead of " << chunk;
      }
  });
}
