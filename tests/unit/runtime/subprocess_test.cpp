// SPDX-License-Identifier: Apache-2.0
// Programs that the runtime runs: what they write, how they end, and those that do not.
#include "subprocess.hpp"

#include <gtest/gtest.h>

namespace d1::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Subprocess, KeepsWhatAProgramWritesAndHowItEnded) {
  const auto result =
      run_process({"sh", "-c", "echo out; echo err >&2; exit 3"}, driver::after(10s));
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
  EXPECT_EQ(result->exit_code, 3);
}

TEST(Subprocess, AProgramThatDoesNotExistIsNamed) {
  const auto result = run_process({"/no/such/program"}, driver::after(10s));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().sentence().find("/no/such/program"), std::string::npos);
}

TEST(Subprocess, OneThatWritesForEverIsStoppedAtTheDeadline) {
  const auto result = run_process({"sh", "-c", "while :; do echo more; done"}, driver::after(50ms));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Timeout);
}

TEST(Subprocess, OneThatHasClosedItsOutputsAndLivesOnIsStoppedToo) {
  const auto start = driver::Clock::now();
  const auto result = run_process({"sh", "-c", "exec >&- 2>&-; sleep 100"}, driver::after(100ms));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Timeout);
  EXPECT_LT(driver::Clock::now() - start, 50s);
}

}  // namespace
}  // namespace d1::runtime
