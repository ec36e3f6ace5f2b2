// SPDX-License-Identifier: Apache-2.0
// Nodes that stop, harts that are stuck, clocks that are slow, dies that are lost.
#include "fixture.hpp"

namespace d1 {
namespace {

using Nodes = Faults;

TEST_F(Nodes, AStoppedNodeLetsItsLaunchTimeOutAndOthersGoOn) {
  device.inject_faults("[[fault]]\nkind = 'node_stop'\nnode = 'die0/n2,3'\n");
  const Grid with = device.grid(2, 2, 2, 2), without = device.grid(2, 2, 0, 0);
  const Error error =
      error_of([&] { launch("spin", with, 300ms, 10u).wait(); });
  expect_error(error, ErrorKind::Timeout, "Kernel 'spin' had not ended 300 ms after its start");
  expect_error(error, ErrorKind::Timeout, "on die 0 row 2 column 3 hart 0");
  expect_error(error, ErrorKind::Timeout, "1 hart held by a fault; 1 fault in force");
  expect_works(without);
  device.clear_faults();
  expect_works(with);
}

TEST_F(Nodes, ANodeThatStopsForAWhileMakesTheLaunchLonger) {
  device.inject_faults(
      "[[fault]]\nkind = 'node_stop'\nnode = 'die0/n2,3'\nfor_cycles = 50_000\n");
  const Launch running = launch("spin", device.grid(2, 2, 2, 2), 5s, 10u);
  running.wait();
  EXPECT_GT(running.cycles(), 40'000u);
  EXPECT_LT(running.cycles(), 70'000u);
  expect_event("(node_stop die0/n2,3) ends");
}

TEST_F(Nodes, AStuckHartStopsThoseWhoNeedIt) {
  device.inject_faults("[[fault]]\nkind = 'hart_stuck'\nnode = 'die1/n0,0'\nhart = 2\n");
  const Grid node = device.grid(1, 1, 0, 6);
  expect_error(error_of([&] { launch("spin", node, 300ms, 10u).wait(); }), ErrorKind::Timeout,
               "had not ended");
  LaunchOptions two;
  two.harts = 2;
  kernel("spin").launch(stream, node, two, 10u).wait();
}

TEST_F(Nodes, AThrottledClockTakesMoreCyclesForTheSame) {
  const Grid grid = device.grid(2, 2);
  launch("spin", grid, 5s, 1u).wait();  // nodes have booted
  const Launch quick = launch("spin", grid, 5s, 20'000u);
  quick.wait();
  EXPECT_FALSE(device.health().throttled);
  device.inject_faults("[[fault]]\nkind = 'clock_throttle'\nfactor = 4\n");
  const Launch slow = launch("spin", grid, 5s, 20'000u);
  slow.wait();
  EXPECT_TRUE(device.health().throttled);
  EXPECT_GT(slow.cycles(), quick.cycles() * 3);
  EXPECT_LT(slow.cycles(), quick.cycles() * 5);
  EXPECT_EQ(slow.instructions(), quick.instructions());
  expect_works(grid);
  device.clear_faults();
  expect_works(grid);
  EXPECT_FALSE(device.health().throttled);
}

TEST_F(Nodes, ALostDieFailsWhatNeedsItAndNothingElse) {
  const Grid left = device.grid(6, 6, 0, 0), right = device.grid(6, 6, 0, 6);
  auto data = device.sharded<int>(36, right);
  Stream other = device.stream();
  LaunchOptions options;
  const Launch survivor = kernel("spin").launch(other, left, options, 300'000u);
  const Launch victim = launch("spin", right, 60s, 30'000'000u);
  device.inject_faults("[[fault]]\nkind = 'die_lost'\ndie = 1\n");
  const Error error = error_of([&] { victim.wait(10s); });
  expect_error(error, ErrorKind::Hardware, "needs die 1, which is lost");
  survivor.wait();
  const std::vector<int> values(36);
  expect_error(error_of([&] { stream.copy_in(data, values).wait(); }), ErrorKind::Hardware,
               "die 1");
  expect_error(error_of([&] { launch("spin", device.all(), 5s, 1u).wait(); }), ErrorKind::Hardware,
               "die 1");
  expect_works(left);
  device.clear_faults();
  expect_works(right);
}

}  // namespace
}  // namespace d1
