// SPDX-License-Identifier: Apache-2.0
// Which threads of the host a launch wakes, told by how often the kernel let each of them run.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator::test {
namespace {

using namespace std::chrono_literals;

struct Threads {
  std::map<std::string, std::uint64_t> sleeps;  // so far, by thread but the caller's
  bool all_asleep = true;
};

Threads other_threads() {
  Threads threads;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (thread.path().filename() == std::to_string(gettid())) continue;
    std::ifstream status(thread.path() / "status");
    const std::string state = "State:", sleeps = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(state)) threads.all_asleep &= line.find('S', state.size()) != line.npos;
      if (line.starts_with(sleeps))
        threads.sleeps[thread.path().filename()] = std::stoull(line.substr(sleeps.size()));
    }
  }
  return threads;
}

// Until every other thread sleeps and has not stirred for a while, however busy the host is.
Threads when_all_sleep() {
  const auto limit = std::chrono::steady_clock::now() + 60s;
  for (Threads before = other_threads();;) {
    std::this_thread::sleep_for(100ms);
    Threads now = other_threads();
    if (now.all_asleep && now.sleeps == before.sleeps) return now;
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("a thread never sleeps");
    before = std::move(now);
  }
}

// How many threads have slept anew since, and so were awake.
int stirred_since(const Threads& before) {
  int stirred = 0;
  for (const auto& [thread, sleeps] : when_all_sleep().sleeps)
    stirred += before.sleeps.at(thread) != sleeps;
  return stirred;
}

class OneNodeLaunches : public testing::Test {
 protected:
  static constexpr std::uint32_t kOneNode = 1;  // the grid's handle

  OneNodeLaunches() : host_(options()) {
    host_.load(emulator_kernels_program);
    EXPECT_EQ(host_.define_grid(kOneNode, 1, 1).status, D1_STATUS_OK);
    // All threads have worked, so none is in its first sleep.
    EXPECT_EQ(host_.launch("count", 0, {0x80000, 100}).status, D1_STATUS_OK);
    EXPECT_EQ(host_.launch("nothing", kOneNode).status, D1_STATUS_OK);
  }

  void SetUp() override {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a thread of the sanitizer's own never sleeps";
#endif
  }

  static DeviceOptions options() {
    DeviceOptions options;
    options.host_threads = 8;
    return options;
  }

  RawHost host_;
};

TEST_F(OneNodeLaunches, RunOnTheThreadThatWaitsForThemAndWakeNoOther) {
  constexpr int kLaunches = 200;
  const Threads before = when_all_sleep();
  const std::vector<std::uint64_t> retired = host_.device().statistics().instructions;
  for (int i = 0; i < kLaunches; ++i)
    ASSERT_EQ(host_.launch("nothing", kOneNode).status, D1_STATUS_OK);
  std::vector<std::uint64_t> now = host_.device().statistics().instructions;
  EXPECT_GT(now[0], retired[0]);
  EXPECT_TRUE(std::equal(now.begin() + 1, now.end(), retired.begin() + 1)) << "helpers ran nodes";
  // The device's own thread may look whether anybody forgot work; helpers have not stirred.
  EXPECT_LE(stirred_since(before), 1);
}

TEST_F(OneNodeLaunches, ThatNobodyWaitsForWakeOneThread) {
  const Threads before = when_all_sleep();
  host_.submit(host_.launch_command("nothing", kOneNode));
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (!host_.completed() && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  ASSERT_TRUE(host_.completed());
  EXPECT_EQ(stirred_since(before), 1);
}

}  // namespace
}  // namespace d1::emulator::test
