// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <set>
#include <thread>

#include "fixture.hpp"

namespace d1::driver {
namespace {

using namespace std::chrono_literals;

class QueuePairTest : public FakeDevice {
 protected:
  void SetUp() override { open(); }
};

TEST_F(QueuePairTest, AFullQueueSaysSoAtOnceAndAcceptsNothing) {
  auto queue = make_queue(8);
  for (unsigned i = 0; i < queue->capacity(); ++i) {
    ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  }
  const auto refused = queue->post(fence(), Recorder::record, &recorder);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::ResourceExhausted);
  queue->ring();
  fake->work();
  EXPECT_EQ(queue->reap(), queue->capacity());
  EXPECT_EQ(recorder.all.size(), queue->capacity());
  EXPECT_TRUE(queue->post(fence(), Recorder::record, &recorder));
}

TEST_F(QueuePairTest, PostingDoesNotRingAndRingingOnceAnnouncesAll) {
  auto queue = make_queue(16);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  EXPECT_EQ(fake->submission_doorbells, 0u);
  fake->work();
  EXPECT_EQ(queue->reap(), 0u);
  queue->ring();
  queue->ring();
  EXPECT_EQ(fake->submission_doorbells, 1u);
  fake->work();
  EXPECT_EQ(queue->reap(), 5u);
}

TEST_F(QueuePairTest, EveryCommandCompletesOnceThroughManyTurnsOfTheRings) {
  auto queue = make_queue(8);
  const auto seed = std::random_device{}();
  RecordProperty("seed", static_cast<int>(seed));
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  std::size_t accepted = 0;
  for (int round = 0; round < 500; ++round) {
    const auto burst = random() % 10;
    for (unsigned i = 0; i < burst; ++i) {
      if (queue->post(fence(), Recorder::record, &recorder)) ++accepted;
    }
    queue->ring();
    if (random() % 2) fake->work();
    if (random() % 2) queue->reap();
  }
  ASSERT_TRUE(queue->wait([&] { return queue->in_flight() == 0; }, after(5s)));
  EXPECT_EQ(recorder.all.size(), accepted);
  EXPECT_GT(accepted, 500u);
  EXPECT_EQ(fake->stalls, 0u) << "the driver must keep room for every completion";
  for (const auto& completion : recorder.all) EXPECT_TRUE(completion.ok());
}

TEST_F(QueuePairTest, CompletionsCarryStatusDetailAndTimes) {
  auto queue = make_queue(8);
  fake->answer = [](unsigned, const CommandBytes&) {
    return test::Answer{D1_STATUS_BAD_FIELD, 16};
  };
  const auto id = queue->post(fence(), Recorder::record, &recorder);
  ASSERT_TRUE(id);
  queue->ring();
  ASSERT_TRUE(queue->wait([&] { return !recorder.all.empty(); }, after(1s)));
  EXPECT_EQ(recorder.all[0].id, *id);
  EXPECT_EQ(recorder.all[0].status, D1_STATUS_BAD_FIELD);
  EXPECT_EQ(recorder.all[0].detail, 16u);
  EXPECT_EQ(recorder.all[0].end_cycle, recorder.all[0].start_cycle + 1);
  EXPECT_FALSE(recorder.all[0].ok());
}

TEST_F(QueuePairTest, ASlotUsedAgainGetsAnotherId) {
  auto queue = make_queue(2);
  std::set<std::uint16_t> ids;
  for (int i = 0; i < 16; ++i) {
    const auto id = queue->post(fence(), Recorder::record, &recorder);
    ASSERT_TRUE(id);
    ids.insert(*id);
    queue->ring();
    fake->work();
    ASSERT_EQ(queue->reap(), 1u);
  }
  EXPECT_EQ(ids.size(), 16u);
}

TEST_F(QueuePairTest, ACompletionNobodyAskedForLosesTheDeviceAndEndsWhatIsInFlight) {
  auto queue = make_queue(8);
  ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  fake->complete(queue->index(), 77);
  queue->reap();
  EXPECT_TRUE(device->lost());
  EXPECT_EQ(device->lost_error().kind(), ErrorKind::Protocol);
  ASSERT_EQ(recorder.all.size(), 1u);
  EXPECT_EQ(recorder.all[0].kind, CompletionKind::DeviceLost);
}

TEST_F(QueuePairTest, WaitReturnsAtItsDeadlineWhenNothingCompletes) {
  auto queue = make_queue(8);
  fake->answer = [](unsigned, const CommandBytes&) { return std::nullopt; };
  ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  queue->ring();
  const auto start = Clock::now();
  EXPECT_FALSE(queue->wait([&] { return !recorder.all.empty(); }, after(60ms)));
  const auto took = Clock::now() - start;
  EXPECT_GE(took, 60ms);
  EXPECT_LT(took, 1s);
  EXPECT_TRUE(recorder.all.empty()) << "a wait that gives up does not give up the command";
}

TEST_F(QueuePairTest, ClosingCancelsWhatIsInFlightExactlyOnce) {
  auto queue = make_queue(8);
  fake->answer = [](unsigned, const CommandBytes&) { return std::nullopt; };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  queue->ring();
  fake->work();
  queue->close();
  ASSERT_EQ(recorder.all.size(), 3u);
  for (const auto& completion : recorder.all) {
    EXPECT_EQ(completion.kind, CompletionKind::Cancelled);
  }
  EXPECT_EQ(queue->post(fence(), Recorder::record, &recorder).error().kind(), ErrorKind::Cancelled);
  queue.reset();
  EXPECT_EQ(recorder.all.size(), 3u);
}

TEST_F(QueuePairTest, AQueueTheDeviceDoesNotDisableKeepsItsRingsMapped) {
  auto queue = make_queue(8);
  const auto maps = fake->maps();
  fake->settings.answers_disable = false;
  queue.reset();
  EXPECT_EQ(fake->maps(), maps) << "the device may still write there";
}

TEST_F(QueuePairTest, AllQueuesInUseIsAnErrorAndAClosedOneIsUsedAgain) {
  std::vector<std::unique_ptr<QueuePair>> queues;
  for (unsigned i = 0; i < D1_QUEUE_PAIRS; ++i) queues.push_back(make_queue(2));
  EXPECT_EQ(device->create_queue_pair(2).error().kind(), ErrorKind::ResourceExhausted);
  queues[5].reset();
  auto again = device->create_queue_pair(2);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->index(), 5u);
}

TEST_F(QueuePairTest, ASizeThatIsNoPowerOfTwoOrTooLargeIsRefused) {
  for (const std::uint32_t entries : {0u, 1u, 3u, 128u}) {
    EXPECT_EQ(device->create_queue_pair(entries).error().kind(), ErrorKind::Invalid) << entries;
  }
}

TEST_F(QueuePairTest, SeveralThreadsOnOneQueueLoseNoCompletion) {
  auto queue = make_queue(16);
  struct Counter {
    std::atomic<unsigned> count = 0;
    static void add(void* context, const Completion&) { ++static_cast<Counter*>(context)->count; }
  };
  constexpr unsigned kThreads = 3, kEach = 400;
  std::array<Counter, kThreads> counters;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < kEach;) {
        if (queue->post(fence(), Counter::add, &counters[t])) {
          queue->ring();
          ++i;
        } else {
          const unsigned before = counters[t].count;
          (void)queue->wait([&] { return counters[t].count > before; }, after(5ms));
        }
      }
      EXPECT_TRUE(queue->wait([&] { return counters[t].count == kEach; }, after(20s)));
    });
  }
  for (auto& thread : threads) thread.join();
  for (auto& counter : counters) EXPECT_EQ(counter.count, kEach);
}

}  // namespace
}  // namespace d1::driver
