// SPDX-License-Identifier: Apache-2.0
// Which threads of the host a launch wakes, told by how often the kernel let each of them run.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator::test {
namespace {

using namespace std::chrono_literals;

// How often each thread of this process has gone to sleep.
std::map<std::string, std::uint64_t> sleeps_of_threads() {
  std::map<std::string, std::uint64_t> sleeps;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(thread.path() / "status");
    const std::string wanted = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(wanted))
        sleeps[thread.path().filename()] = std::stoull(line.substr(wanted.size()));
  }
  return sleeps;
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

  static DeviceOptions options() {
    DeviceOptions options;
    options.host_threads = 8;
    return options;
  }

  RawHost host_;
};

TEST_F(OneNodeLaunches, RunOnTheThreadThatWaitsForThemAndWakeNoOther) {
  constexpr int kLaunches = 200;
  std::this_thread::sleep_for(200ms);  // all sleep, the device's own thread too
  const auto before = sleeps_of_threads();
  const std::vector<std::uint64_t> retired = host_.device().statistics().instructions;
  for (int i = 0; i < kLaunches; ++i)
    ASSERT_EQ(host_.launch("nothing", kOneNode).status, D1_STATUS_OK);
  std::vector<std::uint64_t> now = host_.device().statistics().instructions;
  EXPECT_GT(now[0], retired[0]);
  EXPECT_TRUE(std::equal(now.begin() + 1, now.end(), retired.begin() + 1)) << "helpers ran nodes";
  // The device's own thread may look whether anybody forgot work; helpers have not stirred.
  int stirred = 0;
  for (const auto& [thread, sleeps] : sleeps_of_threads())
    stirred += thread != std::to_string(gettid()) && before.at(thread) != sleeps;
  EXPECT_LE(stirred, 1);
}

TEST_F(OneNodeLaunches, ThatNobodyWaitsForWakeOneThread) {
  std::this_thread::sleep_for(200ms);
  const auto before = sleeps_of_threads();
  host_.submit(host_.launch_command("nothing", kOneNode));
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (!host_.completed() && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  ASSERT_TRUE(host_.completed());
  std::this_thread::sleep_for(200ms);  // whoever was woken sleeps again
  int stirred = 0;
  for (const auto& [thread, sleeps] : sleeps_of_threads())
    stirred += thread != std::to_string(gettid()) && before.at(thread) != sleeps;
  EXPECT_EQ(stirred, 1);
}

}  // namespace
}  // namespace d1::emulator::test
