// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "fixture.hpp"

namespace d1 {
namespace {

using namespace std::chrono_literals;

constexpr const char* kKernels = R"(#include <cassert>
D1_KERNEL void add(d1::sharded<const int> a, d1::sharded<int> b, int c) {
  auto x = a.part_of_hart(); auto y = b.part_of_hart();
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[i] + c;
}
[[gnu::noinline]] int where_null(volatile int* p) { return *p; }
D1_KERNEL void null_pointer(unsigned rank) {
  if (d1::rank() == rank && d1::hart() == 1) where_null(nullptr);
}
D1_KERNEL void asserts(int x) { assert(x == 42); }
D1_KERNEL void for_ever() { for (volatile int i = 0;; i = i + 1) {} }
D1_KERNEL void waits() { if (d1::rank() != 3) d1_sem_wait(7, 2); }
D1_KERNEL void many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j,
                    float x, d1::replicated<long> out) {
  if (d1::hart() == 0) {
    const long values[] = {a, b, c, d, e, f, g, h, i, j, static_cast<long>(x)};
    for (int k = 0; k < 11; ++k) out[k] = values[k];
  }
}
)";

class Launches : public OnDevice {
 protected:
  Kernel kernel(const char* name) { return program(kKernels).kernel(name); }
  Stream stream = device.stream();
};

TEST(Open, NoOptionsAreTheDefaultOnes) { EXPECT_GT(Device::open({}).info().nodes, 0u); }

TEST_F(Launches, OperationsOfAStreamRunInOrder) {
  const std::size_t count = 20000;
  auto a = device.sharded<int>(count), b = device.sharded<int>(count);
  const auto values = numbers<int>(count);
  std::vector<int> result(count);
  stream.copy_in(a, values);
  stream.copy_in(b, values);
  const auto add = kernel("add");
  for (int i = 0; i < 5; ++i) add(stream, device.all(), a, b, 10);
  stream.copy_out(result, b);
  stream.synchronize();
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(result[i], values[i] * 6 + 50);
}

TEST_F(Launches, SingleValuesOfHbmAreReadWrittenAndChangedByEveryNode) {
  const auto kernels = program(R"kernels(
D1_KERNEL void copies(d1::hbm<const std::uint16_t> from, d1::hbm<std::uint16_t> to,
                      d1::hbm<std::uint64_t> sum, d1::hbm<std::uint64_t> seen) {
  if (d1::hart() != 0) return;
  const std::uint16_t value = from[d1::rank()];
  to[d1::nodes() - 1 - d1::rank()] = value;
  std::uint64_t before;
  __asm__ volatile("amoadd.d %0, %1, (%2)"
                   : "=r"(before) : "r"(std::uint64_t{value}), "r"(sum.data().address())
                   : "memory");
  seen[d1::rank()] = before;
}
D1_KERNEL void behind_the_end(d1::hbm<const int> buffer, std::uint64_t element) {
  if (d1::rank() == 0) (void)int(buffer[element]);
}
D1_KERNEL void vector(d1::hbm<const int> buffer) {
  __asm__ volatile("vsetivli x0, 4, e32, m1, ta, ma\n vle32.v v8, (%0)"
                   : : "r"(buffer.data().address()) : "v8", "memory");
}
)kernels");
  const std::size_t nodes = device.all().nodes();
  const auto values = numbers<std::uint16_t>(nodes);
  auto from = device.hbm<std::uint16_t>(nodes), to = device.hbm<std::uint16_t>(nodes);
  auto sum = device.hbm<std::uint64_t>(1), seen = device.hbm<std::uint64_t>(nodes);
  stream.copy_in(from, values);
  stream.fill(sum, 0);
  kernels.kernel("copies")(stream, device.all(), from, to, sum, seen);
  std::vector<std::uint16_t> turned(nodes);
  std::vector<std::uint64_t> total(1), before(nodes);
  stream.copy_out(turned, to);
  stream.copy_out(total, sum);
  stream.copy_out(before, seen);
  stream.synchronize();
  EXPECT_EQ(total[0], nodes * (nodes + 1) / 2);
  EXPECT_TRUE(std::equal(turned.begin(), turned.end(), values.rbegin()));
  // Each saw the sum of those before it: in that order each step is what the next one added.
  std::vector<std::size_t> order(nodes);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return before[a] < before[b]; });
  std::uint64_t running = 0;
  for (const std::size_t rank : order) {
    ASSERT_EQ(before[rank], running);
    running += values[rank];
  }

  auto ints = device.hbm<int>(16);
  expect_part(error_of(kernels.kernel("behind_the_end")(stream, device.all(), ints,
                                                        std::uint64_t{1} << 40)),
              "where there is no memory");
  expect_part(error_of(kernels.kernel("vector")(stream, device.all(), ints)), "vle32.v");
}

TEST_F(Launches, ArgumentsPastTheRegistersArriveOnTheStack) {
  auto out = device.replicated<long>(11);
  kernel("many")(stream, device.grid(2, 2), 1, -2, 3, 4, 5, 6, 7, 8, 9, -10, 11.0f, out);
  std::vector<long> values(11);
  stream.copy_out(values, out).wait();
  EXPECT_EQ(values, (std::vector<long>{1, -2, 3, 4, 5, 6, 7, 8, 9, -10, 11}));
}

TEST_F(Launches, ATrapNamesPlaceHartFunctionLineCauseAndInstruction) {
  const auto launch = kernel("null_pointer")(stream, device.all(), 25u);
  const Error error = error_of(launch);
  EXPECT_EQ(error.kind(), ErrorKind::KernelTrap);
  const auto place = device.all().place_of(25);
  expect_part(error, "Kernel 'null_pointer' trapped on die 0, node " + std::to_string(place.node));
  expect_part(error, "(row " + std::to_string(place.row) + ", column " +
                         std::to_string(place.column) + "), hart 1");
  expect_part(error, "a load from 0x0, where there is no memory (a null pointer)");
  expect_part(error, "kernel.cpp:");
  expect_part(error, "instruction 'lw ");
  // And the device goes on working.
  kernel("null_pointer")(stream, device.all(), 999u).wait();
}

TEST_F(Launches, AFailedAssertionIsRepeated) {
  kernel("asserts")(stream, device.all(), 42).wait();
  const Error error = error_of(kernel("asserts")(stream, device.all(), 41));
  EXPECT_EQ(error.kind(), ErrorKind::KernelTrap);
  expect_part(error, "assertion failed: x == 42");
}

TEST_F(Launches, AnEndlessLoopEndsAtItsTimeoutWithAReport) {
  LaunchOptions options;
  options.timeout = 200ms;
  const auto start = driver::Clock::now();
  const Error error = error_of(kernel("for_ever").launch(stream, device.all(), options));
  EXPECT_LT(driver::Clock::now() - start, 5s);
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  expect_part(error, "Kernel 'for_ever' had not ended 200 ms after its start");
  expect_part(error, "running, in for_ever (");
  kernel("asserts")(stream, device.all(), 42).wait();
}

TEST_F(Launches, AWaitForNobodysSemaphoreIsReportedGrouped) {
  LaunchOptions options;
  options.timeout = 100ms;
  options.harts = 1;
  const Error error = error_of(kernel("waits").launch(stream, device.grid(2, 4), options));
  EXPECT_EQ(error.kind(), ErrorKind::Deadlock);
  expect_part(error, "      7 waiting for semaphore 7 to hold 2, that nobody is left to post, in ");
  expect_part(error, "1 of 8 nodes had completed");
  EXPECT_LT(error.sentence().size(), 1500u);
}

TEST_F(Launches, ACycleLimitEndsALaunchToo) {
  LaunchOptions options;
  options.cycle_limit = 100000;
  const Error error = error_of(kernel("for_ever").launch(stream, device.grid(1, 1), options));
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  expect_part(error, "limit of emulated cycles");
}

TEST_F(Launches, AWaitThatGivesUpDoesNotEndTheLaunch) {
  const auto launch = kernel("for_ever")(stream, device.grid(1, 1));
  EXPECT_EQ(error_of(launch, 50ms).kind(), ErrorKind::Timeout);
  EXPECT_FALSE(launch.done());
  device.reset(device.all());
  EXPECT_EQ(error_of(launch).kind(), ErrorKind::Cancelled);
}

TEST_F(Launches, ClosingAStreamCancelsWhatRuns) {
  auto launch = kernel("for_ever")(stream, device.grid(1, 1));
  auto other = device.stream();
  { auto closed = std::move(stream); }
  EXPECT_EQ(error_of(launch).kind(), ErrorKind::Cancelled);
  kernel("asserts")(other, device.all(), 42).wait();
}

TEST_F(Launches, SynchronizeTellsAFailureNobodyHasHeardOfOnce) {
  kernel("asserts")(stream, device.all(), 1);
  kernel("asserts")(stream, device.all(), 42);
  try {
    stream.synchronize();
    FAIL();
  } catch (const Exception& problem) {
    EXPECT_EQ(problem.kind(), ErrorKind::KernelTrap);
  }
  EXPECT_NO_THROW(stream.synchronize());
  EXPECT_EQ(error_of(kernel("asserts")(stream, device.all(), 1)).kind(), ErrorKind::KernelTrap);
  EXPECT_NO_THROW(stream.synchronize());
}

TEST_F(Launches, EventsOrderStreamsAndGiveTimes) {
  auto second = device.stream();
  auto before = device.event(), after = device.event();
  const std::size_t count = 5000;
  auto a = device.sharded<int>(count), b = device.sharded<int>(count);
  std::vector<int> result(count);
  const auto add = kernel("add");
  for (int round = 0; round < 10; ++round) {
    stream.fill(a, round);
    stream.fill(b, 0);
    stream.record(before);
    add(stream, device.all(), a, b, 1);
    stream.record(after);
    second.wait_for(after);
    second.copy_out(result, b).wait();
    EXPECT_EQ(result[count - 1], round + 1);
    EXPECT_GT(after.cycle(), before.cycle());
  }
}

TEST_F(Launches, TwoProgramsOnTwoGridsStayLoadedAndKeepTheirGlobals) {
  const auto counter = [&](const char* name) {
    return program(std::string("int calls_") + name + "; D1_KERNEL void " + name +
                   "(d1::replicated<int> out) { if (d1::hart() == 0) out[0] = ++calls_" + name +
                   "; }")
        .kernel(name);
  };
  const auto first = counter("first"), second = counter("second");
  const auto left = device.grid(2, 2, 0, 0), right = device.grid(2, 2, 4, 4);
  auto on_left = device.replicated<int>(1, left), on_right = device.replicated<int>(1, right);
  std::vector<int> value(1);
  for (int call = 1; call <= 4; ++call) {
    first(stream, left, on_left);
    second(stream, right, on_right);
    stream.copy_out(value, on_left).wait();
    EXPECT_EQ(value[0], call);
    stream.copy_out(value, on_right).wait();
    EXPECT_EQ(value[0], call);
  }
  // A program that is replaced and comes back starts anew.
  second(stream, left, on_left);
  first(stream, left, on_left);
  stream.copy_out(value, on_left).wait();
  EXPECT_EQ(value[0], 1);
}

TEST_F(Launches, FourHostThreadsWithAStreamEach) {
  const auto add = kernel("add");
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto grid = device.grid(2, 4, t * 3, 0);
      auto mine = device.stream();
      const std::size_t count = 3000;
      auto a = device.sharded<int>(count, grid), b = device.sharded<int>(count, grid);
      const auto values = numbers<int>(count);
      std::vector<int> result(count);
      for (int round = 0; round < 20; ++round) {
        mine.copy_in(a, values);
        mine.copy_in(b, values);
        add(mine, grid, a, b, static_cast<int>(t));
        mine.copy_out(result, b);
        mine.synchronize();
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(result[i], values[i] * 2 + static_cast<int>(t));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(Launches, PrintedLinesAreThereWhenTheLaunchHasEnded) {
  std::string text;
  device.on_print([&](const driver::LogLine& line) { text += line.text; });
  program(R"(D1_KERNEL void says() { if (d1::hart() == 0) printf("rank %u\n", d1::rank()); })")
      .kernel("says")(stream, device.grid(1, 2))
      .wait();
  EXPECT_TRUE(text == "rank 0\nrank 1\n" || text == "rank 1\nrank 0\n") << text;
}

TEST_F(Launches, AThousandLaunchesWithoutAWaitFindRoomInTheQueue) {
  const auto check = kernel("asserts");
  const auto one = device.grid(1, 1);
  for (int i = 0; i < 1000; ++i) (void)check(stream, one, 42);
  stream.synchronize();
}

TEST_F(Launches, ImpossibleGridsAndOptionsAreRefused) {
  EXPECT_THROW((void)device.grid(19, 20), Exception);
  EXPECT_THROW((void)device.grid(1, 1, 100, 0), Exception);
  LaunchOptions options;
  options.harts = 5;
  EXPECT_THROW((void)kernel("for_ever").launch(stream, device.all(), options), Exception);
  options.harts = 4;
  options.stack_bytes = 1 << 20;
  EXPECT_THROW((void)kernel("for_ever").launch(stream, device.all(), options), Exception);
}

}  // namespace
}  // namespace d1
