// SPDX-License-Identifier: Apache-2.0
// What actions at events may do, and what becomes of those that fail.
#include <d1/abi/registers.h>
#include <gtest/gtest-spi.h>

#include "fixture.hpp"

namespace d1::hil::test {
namespace {

constexpr unsigned kVector = 1;  // of the second queue; the runtime's own has the first

// Copies that nobody waits for: their events are met by whoever looks first.
std::vector<Launch> copies(Stream& stream, const Buffer<int>& buffer, int count) {
  static const std::vector<int> values(64);
  std::vector<Launch> made;
  for (int i = 0; i < count; ++i) made.push_back(stream.copy_in(buffer, values));
  return made;
}

TEST(Actions, MayAskTheRigWhileItWaitsForInterrupts) {
  Rig rig;
  D1_HIL_NEEDS(rig, fault_injection);
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  for (int turn = 0; turn < 20; ++turn) {
    const std::uint64_t before = rig.interrupts(kVector);
    std::atomic<std::uint64_t> seen{0};
    rig.on(interrupt(1, kVector), [&] {
      rig.clear_faults();
      seen = rig.interrupts(kVector);
    });
    const auto made = copies(stream, buffer, 4);
    EXPECT_TRUE(rig.wait_for_interrupts(kVector, before + 4, 10s));
    for (const Launch& copy : made) copy.wait(10s);
    for (const auto give_up = Clock::now() + 10s; seen == 0 && Clock::now() < give_up;)
      std::this_thread::sleep_for(1ms);
    EXPECT_GT(seen, before);
  }
}

TEST(Actions, ThatFailMakeTheTestFailAndNothingElse) {
  for (const Event& event : {command(1, D1_COMMAND_COPY), completion(1, D1_COMMAND_COPY)}) {
    testing::TestPartResultArray results;
    {
      testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results);
      Rig rig;
      Device device = rig.open();  // no thread of it acts any more when the results are looked at
      Stream stream = device.stream();
      auto buffer = device.hbm<int>(64);
      rig.on(event, [&] { rig.inject("no plan at all"); });
      for (const Launch& copy : copies(stream, buffer, 2)) copy.wait(10s);
    }
    ASSERT_EQ(results.size(), 1);
    EXPECT_NE(std::string(results.GetTestPartResult(0).message()).find("action of Rig::on()"),
              std::string::npos)
        << results.GetTestPartResult(0).message();
  }
}

TEST(Actions, ThatKillTheDaemonLetItBeStartedAnewAtOnce) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control, power_control);
  for (int turn = 0; turn < 10; ++turn) {
    {
      Device device = rig.open();
      Stream stream = device.stream();
      auto buffer = device.hbm<int>(64);
      rig.on(completion(2, D1_COMMAND_COPY), [&] { rig.kill(); });
      EXPECT_EQ(error_of([&] {
                  const std::vector<int> values(64);
                  for (int i = 0; i < 100; ++i) stream.copy_in(buffer, values).wait(10s);
                }),
                ErrorKind::DeviceLost);
      rig.power_on();
    }
    Device device = rig.open();
    EXPECT_EQ(use(device), expected());
  }
}

TEST(Actions, MayHoldTheDeviceInResetAtAnInterrupt) {
  Rig rig;
  {
    Device device = rig.open();
    Stream stream = device.stream();
    auto buffer = device.hbm<int>(64);
    rig.on(interrupt(2, kVector), [&] { rig.hold_in_reset(); });
    EXPECT_EQ(error_of([&] {
                const std::vector<int> values(64);
                for (int i = 0; i < 1000; ++i) stream.copy_in(buffer, values).wait(10s);
              }),
              ErrorKind::DeviceLost);
    rig.release();
  }
  Device device = rig.open();
  EXPECT_EQ(use(device), expected());
}

TEST(Rig, InterruptsOfAVectorThatThereIsNotAreAnError) {
  Rig rig;
  Device device = rig.open();
  EXPECT_EQ(error_of([&] { (void)rig.interrupts(1000); }), ErrorKind::Invalid);
}

// What a driver may get wrong: a ring whose size is no power of two.
TEST(Rig, AQueueThatTheDeviceRefusesIsNotObserved) {
  Rig rig;
  auto transport = driver::open_transport(rig.transport(), {});
  ASSERT_TRUE(transport);
  driver::Transport& device = **transport;
  device.write_register64(D1_REG_CONTROL, D1_CONTROL_ENABLE);
  const auto queue = [](unsigned reg) { return D1_REG_QUEUE_BASE + reg; };
  struct Wrong {
    std::uint64_t submission, completion, entries;
  };
  for (const Wrong& wrong : {Wrong{0, 0, 3}, Wrong{0, 0, 1}, Wrong{0, 8, 4}, Wrong{8, 0, 4},
                             Wrong{0, 0, 1u << 20}}) {
    device.write_register64(queue(D1_QUEUE_SUBMISSION), wrong.submission);
    device.write_register64(queue(D1_QUEUE_COMPLETION), wrong.completion);
    device.write_register64(queue(D1_QUEUE_ENTRIES), wrong.entries);
    device.write_register64(queue(D1_QUEUE_VECTOR), 0);
    device.write_register64(queue(D1_QUEUE_ENABLE), 1);
    EXPECT_EQ(device.read_register64(queue(D1_QUEUE_COMPLETION)), wrong.completion);
    EXPECT_EQ(device.read_register64(queue(D1_QUEUE_ENABLE)), 0u) << wrong.entries;
    device.ring_doorbell32(D1_REG_DOORBELL_BASE, 1);
  }
}

}  // namespace
}  // namespace d1::hil::test
