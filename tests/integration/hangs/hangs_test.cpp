// SPDX-License-Identifier: Apache-2.0
// The corpus: each kernel has its verdict, deadlocks within a second of their start.
#include <gtest/gtest.h>
#include <fmt/format.h>
#include <d1/d1.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <rounds.hpp>

#include "corpus.hpp"
#include "hang_case.hpp"

namespace d1 {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Of work that takes longer than it takes to look whether a launch can end.
constexpr unsigned kRounds = d1::test::kSanitized ? 10'000'000 : 60'000'000;

class Hangs : public HangCase {
 protected:
  static void expect_part(const Error& error, const std::string& part) {
    EXPECT_NE(error.sentence().find(part), std::string::npos)
        << "'" << part << "' is not in:\n" << error.sentence();
  }
  void expect_works() {
    kernel("posts").launch(stream, device.grid(1, 1), LaunchOptions{},
                           d1_node_address(0, 0, 20)).wait();
  }
  Kernel kernel(const char* name) { return program.kernel(name); }
};

class Corpus : public Hangs, public ::testing::WithParamInterface<Hang> {};

TEST_P(Corpus, HasItsVerdict) {
  const Hang& hang = GetParam();
  LaunchOptions options;
  options.harts = hang.harts;
  if (hang.fate == Fate::Slow) options.timeout = 700ms;
  const Grid grid = device.grid(1, hang.columns);
  const Kernel chosen = kernel(hang.kernel);
  const auto start = Clock::now();
  const Launch launch = hang.takes_rounds
                            ? chosen.launch(stream, grid, options, kRounds)
                            : chosen.launch(stream, grid, options);
  const std::optional<Error> error = end_of(launch);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  RecordProperty("took_ms", static_cast<int>(took.count()));
  if (hang.fate == Fate::Ends) {
    EXPECT_FALSE(error) << error->sentence();
    return;
  }
  ASSERT_TRUE(error) << "it ended";
  const bool deadlock = hang.fate == Fate::Deadlock;
  EXPECT_EQ(error->kind(), deadlock ? ErrorKind::Deadlock : ErrorKind::Timeout)
      << error->sentence();
  expect_part(*error, fmt::format("Kernel '{}' {}", hang.kernel,
                                  deadlock ? "can never end and was aborted"
                                           : "had not ended 700 ms after its start"));
  for (const std::string& part : hang.says) expect_part(*error, part);
  // With long work before it nobody knows when it got stuck.
  if (deadlock && !hang.takes_rounds) {
    EXPECT_LT(took, d1::test::patience(1s));
  }
  expect_works();
}

std::string name_of(const ::testing::TestParamInfo<Hang>& hang) {
  return fmt::format("{}_on_{}_nodes", hang.param.kernel, hang.param.columns);
}
INSTANTIATE_TEST_SUITE_P(Kernels, Corpus, ::testing::ValuesIn(corpus()), name_of);

TEST_F(Hangs, ADeadlockOfAWholeDieIsToldInTenLines) {
  const auto start = Clock::now();
  const auto error = end_of(kernel("node_misses_grid_barrier")(stream, device.all()));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  RecordProperty("took_ms", static_cast<int>(took.count()));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Deadlock);
  expect_part(*error, fmt::format("{} waiting at the barrier of the grid, in ",
                                  (device.all().nodes() - 1) * 4));
  EXPECT_LT(std::ranges::count(error->sentence(), '\n'), 10) << error->sentence();
  EXPECT_LT(took, d1::test::patience(1s));
}

TEST_F(Hangs, ADeadlockIsProvenAtATimeoutThatComesBefore) {
  LaunchOptions options;
  options.timeout = 50ms;
  const auto error = end_of(kernel("waits_for_itself").launch(stream, device.grid(2, 2), options));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Deadlock) << error->sentence();
}

TEST_F(Hangs, ADeadlockIsFoundByWaitsThatAreShort) {
  const Launch launch = kernel("waits_for_itself")(stream, device.grid(2, 2));
  const auto end = Clock::now() + d1::test::patience(1s);
  ErrorKind kind = ErrorKind::Timeout;
  while (kind == ErrorKind::Timeout && Clock::now() < end) {
    try {
      launch.wait(20ms);
      FAIL() << "it ended";
    } catch (const Exception& problem) {
      kind = problem.kind();
    }
  }
  EXPECT_EQ(kind, ErrorKind::Deadlock);
}

}  // namespace
}  // namespace d1
