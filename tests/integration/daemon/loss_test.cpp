// SPDX-License-Identifier: Apache-2.0
// Clients and daemons that die, stop, come back: what the other side sees, and what is left.
#include <gtest/gtest.h>
#include <d1/driver/device.hpp>

#include <chrono>
#include <cstdlib>
#include <daemon.hpp>
#include <rounds.hpp>
#include <thread>

namespace d1::driver {
namespace {

using test::Daemon;
using namespace std::chrono_literals;

class Loss : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("D1_PROGRAMS", D1_TEST_PROGRAMS, 0); }

  static std::unique_ptr<Device> open(const Daemon& daemon,
                                      std::chrono::milliseconds liveness = 5000ms) {
    DeviceOptions options;
    options.transport = daemon.device();
    options.liveness_limit = liveness;
    auto device = Device::open(options);
    EXPECT_TRUE(device) << device.error().to_string();
    return device ? std::move(*device) : nullptr;
  }
  // A command that does not end before something ends it: a wait for an event nobody signals.
  static CommandBytes endless() {
    d1_event_command wait{};
    wait.header.opcode = D1_COMMAND_WAIT;
    wait.event = 1;
    wait.value = 1;
    return to_bytes(wait);
  }
  struct Counts {
    unsigned ok = 0, lost = 0, other = 0;
    static void count(void* context, const Completion& completion) {
      auto& counts = *static_cast<Counts*>(context);
      ++(completion.ok()                                    ? counts.ok
         : completion.kind == CompletionKind::DeviceLost ? counts.lost
                                                            : counts.other);
    }
    [[nodiscard]] unsigned all() const { return ok + lost + other; }
  };
  static constexpr unsigned kOperations = 1000, kQueues = 2, kEach = kOperations / kQueues;

  // 1,000 operations in flight on two queues.
  static std::vector<std::unique_ptr<QueuePair>> in_flight(Device& device, Counts& counts) {
    std::vector<std::unique_ptr<QueuePair>> queues;
    for (unsigned i = 0; i < kQueues; ++i) {
      auto queue = device.create_queue_pair(512);
      EXPECT_TRUE(queue);
      for (unsigned k = 0; k < kEach; ++k)
        EXPECT_TRUE((*queue)->post(endless(), Counts::count, &counts));
      (*queue)->ring();
      queues.push_back(std::move(*queue));
    }
    return queues;
  }
};

TEST_F(Loss, AKilledDaemonEndsAThousandOperationsOnceEachWithinASecond) {
  Counts counts;  // outlives the queues
  Daemon daemon;
  for (int round = 0; round < test::rounds(100); ++round) {
    if (round > 0) daemon.start();
    counts = {};
    auto device = open(daemon);
    ASSERT_TRUE(device);
    auto queues = in_flight(*device, counts);
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(counts.all(), 0u);
    daemon.end(SIGKILL);
    const auto killed = Clock::now();
    for (auto& queue : queues)
      EXPECT_FALSE(queue->wait([] { return false; }, after(5s))) << "nothing will ever come";
    EXPECT_LT(Clock::now() - killed, 1s) << "in round " << round;
    EXPECT_EQ(counts.lost, kOperations);
    EXPECT_EQ(counts.all(), kOperations);
    EXPECT_EQ(device->lost_error().kind(), ErrorKind::DeviceLost);
    EXPECT_EQ(queues[0]->post(endless(), Counts::count, &counts).error().kind(),
              ErrorKind::DeviceLost);
  }
}

TEST_F(Loss, AStoppedDaemonIsLostAtTheLivenessLimit) {
  Counts counts;
  Daemon daemon;
  auto device = open(daemon, 1000ms);
  ASSERT_TRUE(device);
  auto queues = in_flight(*device, counts);
  daemon.signal(SIGSTOP);
  const auto stopped = Clock::now();
  EXPECT_FALSE(queues[0]->wait([] { return false; }, after(10s)));
  const auto seen = Clock::now() - stopped;
  EXPECT_GT(seen, 900ms);
  EXPECT_LT(seen, 2000ms);
  (void)queues[1]->reap();
  EXPECT_EQ(counts.lost, kOperations);
  daemon.signal(SIGCONT);
}

TEST_F(Loss, ADaemonThatGoesOnBeforeTheLimitLosesNothing) {
  Counts counts;
  Daemon daemon;
  auto device = open(daemon, 2000ms);
  ASSERT_TRUE(device);
  auto queue = device->create_queue_pair(64);
  ASSERT_TRUE(queue);
  daemon.signal(SIGSTOP);
  CommandBytes fence{};
  fence.bytes[0] = D1_COMMAND_FENCE;
  ASSERT_TRUE((*queue)->post(fence, Counts::count, &counts));
  (*queue)->ring();
  EXPECT_FALSE((*queue)->wait([&] { return counts.all() == 1; }, after(300ms)))
      << "a wait ends at its deadline, whatever the daemon does";
  daemon.signal(SIGCONT);
  EXPECT_TRUE((*queue)->wait([&] { return counts.all() == 1; }, after(5s)));
  EXPECT_EQ(counts.ok, 1u);
  EXPECT_FALSE(device->lost());
}

TEST_F(Loss, ClientsThatComeAndGoLeaveNothingInTheDaemon) {
  Daemon daemon;
  for (int i = 0; i < 3; ++i) {  // what is made once and kept is made now
    Counts counts;
    auto device = open(daemon);
    auto queues = in_flight(*device, counts);
  }
  const auto settled = [&] {  // the daemon needs a moment to see that a client is gone
    for (int i = 0; i < 200; ++i) {
      std::this_thread::sleep_for(5ms);
      DeviceOptions options;
      options.transport = daemon.device();
      if (Device::open(options)) break;
    }
    std::this_thread::sleep_for(50ms);
    return daemon.holdings();
  };
  const auto before = settled();
  for (int i = 0; i < test::rounds(50); ++i) {
    Counts counts;
    auto device = open(daemon);
    ASSERT_TRUE(device) << i;
    auto queues = in_flight(*device, counts);
  }
  EXPECT_EQ(settled(), before);
}

TEST_F(Loss, DaemonsThatDieLeaveNothingInTheClient) {
  Daemon daemon;
  Daemon::Holdings before{};
  for (int i = 0; i < test::rounds(50); ++i) {
    if (i > 0) daemon.start();
    {
      Counts counts;
      auto device = open(daemon);
      ASSERT_TRUE(device);
      auto queues = in_flight(*device, counts);
      daemon.end(SIGKILL);
      for (auto& queue : queues) (void)queue->wait([] { return false; }, after(5s));
      EXPECT_EQ(counts.lost, kOperations);
    }
    const auto now = Daemon::holdings_of(::getpid());
    if (i == 1) before = now;
    if (i > 1) {
      EXPECT_EQ(now.descriptors, before.descriptors);
      EXPECT_EQ(now.threads, before.threads);
      EXPECT_LE(now.mappings, before.mappings + test::kSpareMappings);
    }
  }
}

TEST_F(Loss, ADaemonEndsCleanlyWhileAClientIsAttached) {
  Daemon daemon;
  auto device = open(daemon);
  ASSERT_TRUE(device);
  const int status = daemon.end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  for (int i = 0; i < 1000 && !device->transport().lost(); ++i) std::this_thread::sleep_for(1ms);
  device->check_alive();
  EXPECT_TRUE(device->lost());
}

}  // namespace
}  // namespace d1::driver
