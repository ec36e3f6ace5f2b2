// SPDX-License-Identifier: Apache-2.0
// Clients that are killed in the middle of launches and copies: what is left in the daemon, how
// soon the next client is let in, and what it finds.
#include <gtest/gtest.h>
#include <d1/abi/memory_map.h>
#include <d1/driver/device.hpp>

#include <algorithm>
#include <child_process.hpp>
#include <chrono>
#include <cstdlib>
#include <daemon.hpp>
#include <random>
#include <rounds.hpp>
#include <thread>
#include <vector>

namespace d1::driver {
namespace {

using test::ChildProcess;
using test::Daemon;
using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 20261126;
constexpr std::uint64_t kMark = 0x1122334455667788;

class Crash : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("D1_PROGRAMS", D1_TEST_PROGRAMS, 0); }

  // Returns when its launches and copies are under way.
  static ChildProcess busy_client(const Daemon& daemon, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {D1_TEST_BUSY_CLIENT, daemon.device()};
    words.insert(words.end(), more.begin(), more.end());
    ChildProcess client(words);
    EXPECT_TRUE(client.wait_for_byte()) << "it ended before it had begun";
    return client;
  }
  static Result<std::unique_ptr<Device>> attach(const Daemon& daemon) {
    DeviceOptions options;
    options.transport = daemon.device();
    return Device::open(options);
  }
  // When the one before has been seen to be gone.
  static std::unique_ptr<Device> attach_soon(const Daemon& daemon) {
    const Deadline deadline = after(5s);
    while (Clock::now() < deadline) {
      if (auto device = attach(daemon)) return std::move(*device);
      std::this_thread::sleep_for(1ms);
    }
    return nullptr;
  }
};

TEST_F(Crash, ClientsKilledUnderLoadLeaveNothingInTheDaemon) {
  Daemon daemon;
  std::mt19937_64 random(kSeed);
  std::vector<Clock::duration> waits;  // of the next client
  const auto crash = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      ChildProcess client = busy_client(daemon);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      client.end(SIGKILL);
      const auto gone = Clock::now();
      const auto next = attach_soon(daemon);
      ASSERT_NE(next, nullptr) << "seed " << kSeed << ", round " << i;
      waits.push_back(Clock::now() - gone);
    }
  };
  const auto settled = [&] {
    EXPECT_NE(attach_soon(daemon), nullptr);
    std::this_thread::sleep_for(100ms);
    return daemon.holdings();
  };
  crash(3);  // what is made once and kept is made now
  const Daemon::Holdings before = settled();
  const std::size_t bytes = daemon.anonymous_bytes();
  crash(test::rounds(30));
  std::ranges::sort(waits);  // the host may be busy with something else in some rounds
  EXPECT_LT(waits[waits.size() / 2], test::patience(100ms)) << "seed " << kSeed;
  const Daemon::Holdings now = settled();
  EXPECT_EQ(now.descriptors, before.descriptors) << "seed " << kSeed;
  EXPECT_EQ(now.threads, before.threads) << "seed " << kSeed;
  EXPECT_LE(now.mappings, before.mappings + test::kSpareMappings) << "seed " << kSeed;
  EXPECT_LT(daemon.anonymous_bytes(), bytes + (std::size_t{4} << 20)) << "seed " << kSeed;
}

TEST_F(Crash, WhatAKilledClientWroteIsThereForTheNext) {
  Daemon daemon;
  ChildProcess client = busy_client(daemon, {"--mark", std::to_string(kMark)});
  client.end(SIGKILL);
  const auto next = attach_soon(daemon);
  ASSERT_NE(next, nullptr);
  for (const std::uint64_t address :
       {d1_node_address(0, 7, 0x80000), d1_hbm_address(next->info().hbm_bytes - 4096)}) {
    std::uint64_t seen = 0;
    ASSERT_TRUE(next->transport().read_aperture(address, &seen, sizeof seen));
    EXPECT_EQ(seen, kMark) << std::hex << address;
  }
}

// Nodes of the killed client's launches are free again.
TEST_F(Crash, TheNextClientRunsOnNodesOnWhichAKilledOneLaunched) {
  Daemon daemon;
  busy_client(daemon).end(SIGKILL);
  for (int i = 0; i < 500; ++i) {  // it may still be refused for a moment
    ChildProcess next({D1_TEST_BUSY_CLIENT, daemon.device()});
    if (next.wait_for_byte()) return;
    std::this_thread::sleep_for(1ms);
  }
  FAIL() << "no client gets its launches under way";
}

}  // namespace
}  // namespace d1::driver
