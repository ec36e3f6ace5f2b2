// SPDX-License-Identifier: Apache-2.0
// The same run whatever the number and the speed of the host threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator::test {
namespace {

constexpr std::uint32_t kOut = 0x80000;

struct Observed {
  std::uint64_t trace, end_cycle, instructions;
};

// Lets the caller's thread begin a job only once the helper has joined it, so that how the work is
// shared is seen also on a host that is busy. A job of few nodes wakes no helper that sleeps: then
// the wait ends by itself.
class BeginTogether {
 public:
  void operator()(unsigned worker) {
    std::unique_lock guard(mutex_);
    if (worker != 0) {
      ++joined_;
      changed_.notify_all();
      return;
    }
    changed_.wait_for(guard, std::chrono::milliseconds(50), [this] { return joined_ != seen_; });
    seen_ = joined_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned joined_ = 0, seen_ = 0;
};

Observed storm(unsigned threads, std::uint64_t seed, std::function<void(unsigned)> delay = {},
               EngineOptions engine = engine_options_from_environment()) {
  DeviceOptions options;
  options.engine = engine;
  options.host_threads = threads;
  options.seed = seed;
  options.join_delay = std::move(delay);
  RawHost host(options);
  host.load(emulator_kernels_program);
  const d1_completion completion = host.launch("storm", 0, {kOut, 60}, 2);
  EXPECT_EQ(completion.status, D1_STATUS_OK);
  const DeviceStatistics statistics = host.device().statistics();
  return {statistics.trace_hash, completion.end_cycle - completion.start_cycle,
          host.report().instructions};
}

TEST(Determinism, TracesAgreeOnOneTwoThreeAndEightThreadsWithRandomDelays) {
  const Observed reference = storm(1, 0);
  for (const unsigned threads : {2u, 3u, 8u}) {
    const Observed run = storm(threads, 0, [](unsigned worker) {
      static thread_local std::uint64_t state = 12345;
      state = state * 6364136223846793005u + worker + 1;
      std::this_thread::sleep_for(std::chrono::microseconds(state >> 40 & 63));
    });
    EXPECT_EQ(run.trace, reference.trace) << threads << " threads";
    EXPECT_EQ(run.end_cycle, reference.end_cycle) << threads << " threads";
    EXPECT_EQ(run.instructions, reference.instructions) << threads << " threads";
  }
}

TEST(Determinism, BothEnginesGiveOneTraceAtEveryLevelOfTheHost) {
  const Observed reference = storm(1, 0, {}, {.kind = EngineKind::Interpreter});
  for (const HostLevel level : {HostLevel::Portable, HostLevel::Avx2, HostLevel::Avx512})
    for (const std::uint32_t runs : {0u, 3u, 100u}) {  // interpreted before they are translated
      const Observed run = storm(2, 0, {},
                                 {.kind = EngineKind::Translator,
                                  .level = level,
                                  .runs_before_translation = runs});
      EXPECT_EQ(run.trace, reference.trace) << static_cast<int>(level) << ", " << runs;
      EXPECT_EQ(run.instructions, reference.instructions);
    }
}

TEST(Determinism, ACodeCacheThatIsAlwaysFullChangesNothing) {
  const Observed reference = storm(1, 0, {}, {.kind = EngineKind::Interpreter});
  const Observed run = storm(8, 0, {},
                             {.kind = EngineKind::Translator,
                              .runs_before_translation = 0,
                              .code_bytes = std::size_t{260} << 10});
  EXPECT_EQ(run.trace, reference.trace);
  EXPECT_EQ(run.instructions, reference.instructions);
}

// Who else wants the host's cores decides how long each thread may run: so it is enough that one
// launch of several is shared well. How it is when nobody disturbs, d1-bench threads.balance tells.
TEST(Determinism, EachOfTwoThreadsRetiresFortyPercentOfALaunchOverTheDie) {
  constexpr int kLaunches = 40;
  constexpr std::uint64_t kRounds = 50'000;
  BeginTogether together;
  DeviceOptions options;
  options.engine = {.kind = EngineKind::Interpreter};  // whose launches are long enough
  options.host_threads = 2;
  options.join_delay = std::ref(together);
  RawHost host(options);
  host.load(emulator_kernels_program);
  std::vector<std::uint64_t> before(2);
  double best = 0;
  for (int i = 0; i < kLaunches && best < 0.4; ++i) {
    ASSERT_EQ(host.launch("count", 0, {kOut, kRounds}).status, D1_STATUS_OK);
    const std::vector<std::uint64_t> retired = host.device().statistics().instructions;
    ASSERT_EQ(retired.size(), 2u);
    const auto first = static_cast<double>(retired[0] - before[0]);
    const auto second = static_cast<double>(retired[1] - before[1]);
    ASSERT_GT(first + second, 354.0 * 3 * kRounds);
    best = std::max(best, std::min(first, second) / (first + second));
    before = retired;
  }
  EXPECT_GE(best, 0.4);
}

// A hart that ran ahead of the others of its node must not make posts visible in their past.
TEST(Determinism, AWaitEndsNoEarlierThanThePostThatEndsIt) {
  for (const std::uint64_t seed : {0u, 1u, 2u, 3u}) {
    DeviceOptions options;
    options.seed = seed;
    RawHost host(options);
    host.load(emulator_kernels_program);
    ASSERT_EQ(host.launch("causality", 0, {kOut, 400}, 3).status, D1_STATUS_OK);
    for (const auto node : host.topology(0))
      ASSERT_EQ(host.read<std::uint64_t>(node, kOut), 0u) << "seed " << seed;
  }
}

TEST(Determinism, ASeedShufflesWhatIsUnorderedTheSameWayEachTime) {
  const Observed plain = storm(2, 0);
  const Observed one = storm(2, 1), again = storm(1, 1), two = storm(2, 2);
  EXPECT_EQ(one.trace, again.trace);
  EXPECT_NE(one.trace, plain.trace);
  EXPECT_NE(one.trace, two.trace);
}

}  // namespace
}  // namespace d1::emulator::test
