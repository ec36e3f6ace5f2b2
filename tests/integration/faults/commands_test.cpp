// SPDX-License-Identifier: Apache-2.0
// Faults of queues, completions, interrupts and the transfers behind them.
#include "fixture.hpp"

namespace d1 {
namespace {

class Commands : public Faults {
 protected:
  std::vector<int> values = std::vector<int>(64, 3), result = std::vector<int>(64);
  Buffer<int> buffer = device.hbm<int>(64);
};

TEST_F(Commands, ADmaErrorFailsOneCopyAndTheNextIsSound) {
  device.inject_faults("[[fault]]\nkind = 'dma_error'\nopcode = 'copy'\nat_command = 2\n");
  stream.copy_in(buffer, values).wait();
  const Error error = error_of([&] { stream.copy_out(result, buffer).wait(); });
  expect_error(error, ErrorKind::Hardware, "The PCIe transfer of a copy command broke off");
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, values);
  expect_event("(dma_error) hits command 2 (copy) of queue 1");
}

TEST_F(Commands, ADmaErrorOfALaunchFailsIt) {
  device.inject_faults("[[fault]]\nkind = 'dma_error'\nopcode = 'launch'\ntimes = 2\n");
  for (int i = 0; i < 2; ++i)
    expect_error(error_of([&] { launch("spin", device.grid(1, 1), 5s, 1u).wait(); }),
                 ErrorKind::Hardware, "launch");
  launch("spin", device.grid(1, 1), 5s, 1u).wait();
}

TEST_F(Commands, ADelayedCompletionIsATimeOutThatCanBeWaitedForAgain) {
  device.inject_faults("[[fault]]\nkind = 'completion_delay'\ndelay_ms = 400\n");
  const auto start = std::chrono::steady_clock::now();
  const Launch copy = stream.copy_in(buffer, values);
  expect_error(error_of([&] { copy.wait(100ms); }), ErrorKind::Timeout, "");
  EXPECT_FALSE(copy.done());
  copy.wait();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 400ms);
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, values);
}

TEST_F(Commands, ALostInterruptIsMadeUpForByTheDriversOwnLook) {
  device.inject_faults("[[fault]]\nkind = 'interrupt_lost'\ntimes = 3\n");
  for (int i = 0; i < 3; ++i) stream.copy_in(buffer, values).wait(5s);
  stream.copy_out(result, buffer).wait(5s);
  EXPECT_EQ(result, values);
  expect_event("(interrupt_lost) hits command 3");
}

TEST_F(Commands, ADoubledInterruptCompletesNothingTwice) {
  device.inject_faults("[[fault]]\nkind = 'interrupt_double'\ntimes = 100\n");
  for (int i = 0; i < 50; ++i) {
    stream.copy_in(buffer, values);
    stream.copy_out(result, buffer).wait(5s);
    EXPECT_EQ(result, values);
  }
}

TEST_F(Commands, AStuckQueueStopsItsStreamAndNoOther) {
  Stream other = device.stream();
  device.inject_faults("[[fault]]\nkind = 'queue_stuck'\nqueue = 1\n");
  const Launch copy = stream.copy_in(buffer, values);
  expect_error(error_of([&] { copy.wait(200ms); }), ErrorKind::Timeout, "");
  auto elsewhere = device.hbm<int>(64);
  other.copy_in(elsewhere, values);
  other.copy_out(result, elsewhere).wait(5s);
  EXPECT_EQ(result, values);
  device.clear_faults();
  copy.wait(5s);
}

TEST_F(Commands, AQueueThatIsStuckForAWhileGoesOn) {
  device.inject_faults("[[fault]]\nkind = 'queue_stuck'\nfor_ms = 300\n");
  const auto start = std::chrono::steady_clock::now();
  stream.copy_in(buffer, values).wait(10s);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 250ms);
}

TEST_F(Commands, AnImpossiblePlanIsAnErrorAndChangesNothing) {
  const auto refused = [&](const std::string& plan, ErrorKind kind, const std::string& part) {
    expect_error(error_of([&] { device.inject_faults(plan); }), kind, part);
  };
  const std::string sound = "[[fault]]\nkind = 'dma_error'\n";
  refused(sound + "[[fault]]\nkind = 'die_lost'\ndie = 2\n", ErrorKind::Invalid,
          "names die 2; this device has 2, from 0 on");
  refused(sound + "[[fault]]\nkind = 'node_stop'\nnode = 'die0/n6,0'\n", ErrorKind::Invalid,
          "die0/n6,0, which is no node of this device");
  refused("[[fault]]\nkind = 'link_lost'\nlink = 'die0/n0,0/north'\n", ErrorKind::Invalid,
          "there is no node on that side");
  refused("[[fault]]\nkind = 'sram_flip'\naddress = 3\n", ErrorKind::Invalid,
          "must be an offset from 0x100 to 0x13ffff");
  refused("[[fault]]\nkind = 'frobnicate'\n", ErrorKind::Invalid,
          "plan:2:8: There is no kind of fault 'frobnicate'");
  stream.copy_in(buffer, values).wait();
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, values);
}

}  // namespace
}  // namespace d1
