// SPDX-License-Identifier: Apache-2.0
// The order of memory as a table: what each litmus test of kernels/litmus.cpp may show. Runs all of
// them over many seeds; what is not in the table must never appear, and every relaxation that a
// program has to live with must be shown by some seed, so that programs meet it in their tests.
#include <gtest/gtest.h>

#include <litmus_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator::test {
namespace {

constexpr std::uint32_t kGrid = 1;  // 1 x 3: A, B, C
constexpr std::uint32_t kOut = 0x90000, kMemory = 0x80000;
constexpr std::uint64_t kRounds = 16;
constexpr std::uint64_t kSeeds = 24;

using Outcomes = std::initializer_list<unsigned>;

struct Litmus {
  const char* kernel;
  std::uint32_t harts;
  Outcomes shown;         // allowed, and some seed shows it
  Outcomes allowed = {};  // allowed, but the emulator is stronger: it may never appear
};

// Between nodes. Puts from one node to one destination arrive in order, a put's own post is seen
// after its data, blocking accesses are done when they return, a fence waits until puts have
// arrived. Nothing else is ordered.
constexpr Litmus kNetwork[] = {
    {"put_with_post", 1, {1}},
    {"two_puts_one_destination", 1, {1}},
    {"multicast_then_put", 1, {1}},
    {"puts_two_destinations", 1, {0, 1}},
    {"puts_two_destinations_fenced", 1, {1}},
    {"put_then_post", 1, {0, 1}},
    {"put_fence_post", 1, {1}},
    {"put_wait_post", 1, {0, 1}},
    {"put_then_get", 1, {0, 1}},
    {"put_fence_get", 1, {1}},
    {"get_then_put", 1, {0, 1}},
    {"put_then_load", 1, {0, 1}},
    {"store_then_load", 1, {1}},
    {"store_then_post", 1, {1}},
    {"two_posts", 1, {0, 1}},
    {"source_changed_at_once", 1, {2}, {1}},
    {"source_changed_after_completion", 1, {1}},
    {"puts_from_two_sources", 1, {1, 2}},
    {"hbm_put_then_post", 1, {0, 1}},
    {"hbm_put_fence_post", 1, {1}},
    {"remote_amo", 4, {1}},
};

// Between harts of a node: RVWMO. The emulator runs one hart at a time and completes its accesses
// in program order, so it is sequentially consistent here, and switches harts at loop ends only:
// the relaxations in the last column are the architecture's, and no seed shows them.
constexpr Litmus kNode[] = {
    {"harts_store_buffering", 2, {1, 2}, {0, 3}},
    {"harts_store_buffering_fenced", 2, {1, 2}, {3}},
    {"harts_message", 2, {0, 3}, {1, 2}},
    {"harts_message_fenced", 2, {0, 3}, {1}},
    {"harts_read_twice", 2, {0, 3}, {1}},
    {"harts_post", 2, {1}},
    {"harts_barrier", 2, {1}},
};

std::uint64_t set_of(Outcomes outcomes) {
  std::uint64_t set = 0;
  for (const unsigned outcome : outcomes) set |= std::uint64_t{1} << outcome;
  return set;
}

// Outcomes of one test under one seed.
std::uint64_t play(RawHost& host, const Litmus& litmus, std::uint64_t seed) {
  const d1_completion completion = host.launch(
      litmus.kernel, kGrid, {kOut, kMemory, d1_hbm_address(0), kRounds, seed}, litmus.harts);
  EXPECT_EQ(completion.status, D1_STATUS_OK) << litmus.kernel << ", seed " << seed;
  std::uint64_t outcomes = 0;
  for (const std::uint32_t node : host.topology(kGrid))
    for (std::uint32_t hart = 0; hart < litmus.harts; ++hart)
      outcomes |= host.read<std::uint64_t>(node, kOut + 8 * hart);
  return outcomes;
}

std::unique_ptr<RawHost> machine(std::uint64_t seed) {
  DeviceOptions options;
  options.seed = seed;
  auto host = std::make_unique<RawHost>(options);
  host->load(litmus_kernels_program);
  EXPECT_EQ(host->define_grid(kGrid, 1, 3, 4, 5).status, D1_STATUS_OK);
  return host;
}

void play_table(std::span<const Litmus> table) {
  std::vector<std::uint64_t> seen(table.size());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto host = machine(seed);
    for (std::size_t i = 0; i < table.size(); ++i) {
      const std::uint64_t outcomes = play(*host, table[i], seed);
      const std::uint64_t allowed = set_of(table[i].shown) | set_of(table[i].allowed);
      EXPECT_EQ(outcomes & ~allowed, 0u)
          << table[i].kernel << " showed a forbidden outcome under seed " << seed;
      seen[i] |= outcomes;
    }
  }
  for (std::size_t i = 0; i < table.size(); ++i)
    EXPECT_EQ(set_of(table[i].shown) & ~seen[i], 0u)
        << table[i].kernel << ": seeds 0 to " << kSeeds - 1 << " showed only the set " << seen[i];
}

TEST(Litmus, TheNetworkShowsEveryRelaxationAndNothingForbidden) { play_table(kNetwork); }

TEST(Litmus, HartsOfANodeShowNothingForbidden) { play_table(kNode); }

TEST(Litmus, TheSameSeedShowsTheSame) {
  for (const std::uint64_t seed : {3u, 7u}) {
    const auto first = machine(seed), again = machine(seed);
    for (const Litmus& litmus : kNetwork) {
      EXPECT_EQ(play(*first, litmus, seed), play(*again, litmus, seed)) << litmus.kernel;
      EXPECT_EQ(first->device().statistics().trace_hash, again->device().statistics().trace_hash)
          << litmus.kernel << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace d1::emulator::test
