// SPDX-License-Identifier: Apache-2.0
// Waiting for an eventfd: by io_uring and by ppoll alike.
#include <d1/vfio_user/event.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "event_wait.hpp"

namespace d1::driver {
namespace {

using namespace std::chrono_literals;
using Make = std::unique_ptr<EventWait::Way> (*)(int event, int end);

class EventWaits : public ::testing::TestWithParam<Make> {
 protected:
  void SetUp() override {
    auto way = GetParam()(event.get(), end.get());
    if (way == nullptr) GTEST_SKIP() << "This host has no io_uring, or not the parts it takes.";
    wait.emplace(std::move(way), count);
  }
  static vfio_user::Descriptor made() {
    auto event = vfio_user::make_event("a test");
    EXPECT_TRUE(event);
    return std::move(*event);
  }
  static void write(const vfio_user::Descriptor& to, std::uint64_t value = 1) {
    ASSERT_EQ(::write(to.get(), &value, sizeof value), static_cast<ssize_t>(sizeof value));
  }

  vfio_user::Descriptor event = made(), end = made();
  std::atomic<std::uint64_t> count{0};
  std::optional<EventWait> wait;
};

TEST_P(EventWaits, TakesWhatWasThereBefore) {
  write(event, 3);
  wait->wait(after(10s));
  EXPECT_EQ(count.load(), 3u);
}

TEST_P(EventWaits, ReturnsWhenTheEventComesAndAgainForTheNext) {
  for (std::uint64_t round = 1; round <= 50; ++round) {
    std::jthread later([this] { write(event); });
    while (count.load() < round) wait->wait(after(10s));
    EXPECT_EQ(count.load(), round);
  }
}

TEST_P(EventWaits, ReturnsAtTheDeadlineAndTheEventIsNotLostThen) {
  const auto start = Clock::now();
  wait->wait(after(30ms));
  EXPECT_GE(Clock::now() - start, 25ms);
  EXPECT_EQ(count.load(), 0u);
  wait->wait(Clock::now() - 1s);
  write(event);
  wait->wait(after(10s));
  EXPECT_EQ(count.load(), 1u);
}

TEST_P(EventWaits, ReturnsAtTheEndOfTheConnectionNowAndLater) {
  std::jthread later([this] {
    std::this_thread::sleep_for(20ms);
    write(end);
  });
  const auto start = Clock::now();
  wait->wait(after(10s));
  wait->wait(after(10s));
  EXPECT_LT(Clock::now() - start, 5s);
  EXPECT_EQ(count.load(), 0u);
}

TEST_P(EventWaits, WakesAllWhoWait) {
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 4; ++i)
    waiting.emplace_back([this] {
      while (count.load() == 0) wait->wait(after(10s));
    });
  std::this_thread::sleep_for(20ms);
  write(event);
  for (auto& thread : waiting) thread.join();
  EXPECT_EQ(count.load(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Ways, EventWaits, ::testing::Values(make_polling_wait, make_ring_wait),
                         [](const auto& made) {
                           return made.param == make_polling_wait ? "ppoll" : "io_uring";
                         });

}  // namespace
}  // namespace d1::driver
