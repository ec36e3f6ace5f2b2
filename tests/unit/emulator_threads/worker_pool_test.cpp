// SPDX-License-Identifier: Apache-2.0
// Who takes part in a job, who is woken for it, and that everything is done once.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <thread>

#include "worker_pool.hpp"

namespace d1::emulator::test {
namespace {

constexpr unsigned kThreads = 8, kHelpers = kThreads - 1;

const WorkerPool::Work kNothing = [](std::uint32_t, unsigned) {};
const WorkerPool::Look kLookAtNothing = [](std::uint32_t, WorkerPool::Ahead) {};

void wait_until_all_sleep(const WorkerPool& pool) {
  while (pool.sleepers() != kHelpers) std::this_thread::yield();
}

// How many helpers a job of `items` wakes. Those that were woken look for work for a while before
// they sleep again, so they are counted at once.
unsigned woken_by(WorkerPool& pool, std::uint32_t items) {
  wait_until_all_sleep(pool);
  const std::uint64_t before = pool.wakes();
  pool.run(items, kNothing, kLookAtNothing);
  return static_cast<unsigned>(pool.wakes() - before);
}

}  // namespace

TEST(WorkerPool, AJobOfOneItemOrFewWakesNobody) {
  WorkerPool pool(kThreads);
  EXPECT_EQ(woken_by(pool, 0), 0u);
  EXPECT_EQ(woken_by(pool, 1), 0u);
  EXPECT_EQ(woken_by(pool, WorkerPool::kWorthWaking - 1), 0u);
}

TEST(WorkerPool, AJobWakesAHelperForAsManyItemsAsAreWorthIt) {
  WorkerPool pool(kThreads);
  EXPECT_EQ(woken_by(pool, WorkerPool::kWorthWaking), 1u);
  EXPECT_EQ(woken_by(pool, 3 * WorkerPool::kWorthWaking), 3u);
  EXPECT_EQ(woken_by(pool, 1000 * WorkerPool::kWorthWaking), kHelpers);
}

TEST(WorkerPool, EveryItemIsDoneOnceWhateverTheNumberOfItems) {
  WorkerPool pool(kThreads);
  for (const std::uint32_t items : {0u, 1u, 2u, 7u, 8u, 9u, 100u, 1000u, 12345u}) {
    std::vector<std::atomic<int>> done(items);
    pool.run(items, [&](std::uint32_t item, unsigned) { ++done[item]; }, kLookAtNothing);
    for (std::uint32_t item = 0; item < items; ++item)
      ASSERT_EQ(done[item].load(), 1) << item << " of " << items;
  }
}

// Whatever thread it is on: a host without memory ends no process. The next job has all its items.
TEST(WorkerPool, WhatAnItemThrowsIsThrownByTheJobOnceAllThreadsHaveEnded) {
  WorkerPool pool(kThreads);
  constexpr std::uint32_t kItems = 1000;
  for (std::uint32_t bad = 0; bad < kItems; bad += 7) {
    std::atomic<int> inside{0};
    const auto work = [&](std::uint32_t item, unsigned) {
      ++inside;
      std::this_thread::yield();
      --inside;
      if (item == bad || item == bad + 1) throw std::bad_alloc();
    };
    EXPECT_THROW(pool.run(kItems, work, kLookAtNothing), std::bad_alloc) << bad;
    EXPECT_EQ(inside.load(), 0) << bad;
    std::atomic<std::uint32_t> done{0};
    pool.run(kItems, [&](std::uint32_t, unsigned) { ++done; }, kLookAtNothing);
    EXPECT_EQ(done.load(), kItems) << bad;
  }
}

// What is near belongs to the thread that looks, which may read it; all of it is looked at.
TEST(WorkerPool, EveryItemIsLookedAtBeforeByTheThreadThatDoesIt) {
  constexpr std::uint32_t kItems = 1000;
  WorkerPool pool(kThreads);
  std::vector<std::thread::id> looked(kItems);
  std::atomic<int> wrong{0};
  for (int again = 0; again < 20; ++again) {
    std::ranges::fill(looked, std::thread::id());
    pool.run(
        kItems,
        [&](std::uint32_t item, unsigned) { wrong += looked[item] != std::this_thread::get_id(); },
        [&](std::uint32_t item, WorkerPool::Ahead ahead) {
          if (ahead == WorkerPool::Ahead::Near) looked[item] = std::this_thread::get_id();
        });
  }
  EXPECT_EQ(wrong, 0);
}

// The caller holds on to its first item until all others are done: a helper does the caller's too.
TEST(WorkerPool, AThreadThatIsDoneStealsFromOneThatIsNot) {
  constexpr std::uint32_t kItems = 200;
  WorkerPool pool(2);
  std::atomic<std::uint32_t> done_by_helper{0};
  std::atomic<std::uint32_t> held{0};
  pool.run(
      kItems,
      [&](std::uint32_t, unsigned worker) {
        if (worker != 0) {
          ++done_by_helper;
          return;
        }
        if (held++ != 0) return;
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (done_by_helper < kItems / 2 + kItems / 4 && std::chrono::steady_clock::now() < limit)
          std::this_thread::yield();
      },
      kLookAtNothing);
  EXPECT_GE(done_by_helper, kItems / 2 + kItems / 4);  // its own half, and of the other one
}

}  // namespace d1::emulator::test
