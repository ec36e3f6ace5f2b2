// SPDX-License-Identifier: Apache-2.0
// Launches that wait for what the host, another launch or a queue's commands will do.
#include <gtest/gtest.h>
#include <fmt/format.h>
#include <d1/d1.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "hang_case.hpp"

namespace d1 {
namespace {

using namespace std::chrono_literals;

class HostActs : public HangCase {
 protected:
  static constexpr std::uint32_t kSemaphore = 7;  // that waits_for_a_post waits for
  static constexpr unsigned kRounds = 10'000'000;  // of work

  static d1_semaphore_command post_to(const Grid& grid) {
    d1_semaphore_command post{};
    post.header.opcode = D1_COMMAND_SEMAPHORE;
    post.target = semaphore_of(grid);
    post.count = 1;
    return post;
  }
  static std::uint64_t semaphore_of(const Grid& grid) {
    const runtime::NodePlace place = grid.place_of(0);
    return d1_node_address(place.die, place.node, kSemaphore);
  }
  Launch wait_on(Stream& on, const Grid& grid, LaunchOptions options = {}) {
    return program.kernel("waits_for_a_post").launch(on, grid, options);
  }

  Stream other = device.stream();
  Grid here = device.grid(1, 1, 0, 0), there = device.grid(1, 1, 4, 4);
};

TEST_F(HostActs, AnInteractiveLaunchWaitsForTheHostsPost) {
  LaunchOptions options;
  options.host_interactive = true;
  const Launch launch = wait_on(stream, here, options);
  std::thread poster([&] {
    std::this_thread::sleep_for(700ms);
    EXPECT_TRUE(device.shared()->execute(driver::to_bytes(post_to(here)), driver::after(10s)));
  });
  const auto error = end_of(launch);
  poster.join();
  EXPECT_FALSE(error) << error->sentence();
}

TEST_F(HostActs, AnInteractiveLaunchWithoutItEndsAtItsTimeout) {
  LaunchOptions options;
  options.host_interactive = true;
  options.timeout = 600ms;
  const auto error = end_of(wait_on(stream, here, options));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Timeout);
  EXPECT_NE(error->sentence().find("the host has said that it will let it go on"),
            std::string::npos) << error->sentence();
}

TEST_F(HostActs, AnInteractiveLaunchMayLetOthersGoOn) {
  LaunchOptions interactive, limited;
  interactive.host_interactive = true;
  limited.timeout = 600ms;
  const Launch first = wait_on(stream, here, interactive);
  const auto error = end_of(wait_on(other, there, limited));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Timeout) << error->sentence();
  device.reset(here);
}

TEST_F(HostActs, WhoWaitsForALaunchBehindASlowOneIsNotStuck) {
  program.kernel("posts").launch(other, there, LaunchOptions{}, semaphore_of(there)).wait();
  const Launch waits = wait_on(stream, here);
  program.kernel("works_long").launch(other, there, LaunchOptions{}, kRounds);
  program.kernel("posts").launch(other, there, LaunchOptions{}, semaphore_of(here));
  const auto error = end_of(waits);
  EXPECT_FALSE(error) << error->sentence();
}

TEST_F(HostActs, WhoWaitsForALaunchBehindItselfIsStuck) {
  program.kernel("posts").launch(other, there, LaunchOptions{}, semaphore_of(there)).wait();
  const Launch waits = wait_on(stream, here);
  auto after = device.event();
  stream.record(after);
  other.wait_for(after);
  const Launch never =
      program.kernel("posts").launch(other, there, LaunchOptions{}, semaphore_of(here));
  const auto error = end_of(waits);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Deadlock) << error->sentence();
  never.wait();  // what is behind goes on
}

TEST_F(HostActs, WhatIsBehindAnEventOfTheHostsMayStillCome) {
  LaunchOptions limited;
  limited.timeout = 800ms;
  const Launch waits = wait_on(stream, here, limited);
  auto queue = device.shared()->device().create_queue_pair(16);
  ASSERT_TRUE(queue);
  auto slot = device.shared()->take_event();
  ASSERT_TRUE(slot);
  d1_event_command event{};
  event.header.opcode = D1_COMMAND_WAIT;
  event.event = slot->index;
  event.value = slot->value + 1;
  std::atomic<int> ended = 0;
  const auto count = [](void* counter, const driver::Completion&) {
    ++*static_cast<std::atomic<int>*>(counter);
  };
  ASSERT_TRUE((*queue)->post(driver::to_bytes(event), count, &ended));
  ASSERT_TRUE((*queue)->post(driver::to_bytes(post_to(here)), count, &ended));
  (*queue)->ring();
  const auto error = end_of(waits);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Timeout);
  EXPECT_NE(error->sentence().find("1 queue with commands that may let it go on"),
            std::string::npos) << error->sentence();
  event.header.opcode = D1_COMMAND_SIGNAL;
  EXPECT_TRUE(device.shared()->execute(driver::to_bytes(event), driver::after(10s)));
  EXPECT_TRUE((*queue)->wait([&] { return ended == 2; }, driver::after(10s)));
  slot->value = event.value;
  device.shared()->give_event(*slot);
}

}  // namespace
}  // namespace d1
