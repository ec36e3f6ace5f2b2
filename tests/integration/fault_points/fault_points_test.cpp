// SPDX-License-Identifier: Apache-2.0
// Open, map, submit, wait, close, with the k-th call to the host's kernel failing, for each k until
// there are no more calls: whatever fails, a clear error comes in time and nothing is left behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <daemon.hpp>
#include <memory>
#include <rounds.hpp>
#include <thread>

#include "device_use.hpp"
#include "failing_calls.hpp"

namespace d1 {
namespace {

using test::Daemon;
using test::FailingCall;
using namespace std::chrono_literals;

class FaultPoints : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { ::setenv("D1_PROGRAMS", D1_TEST_PROGRAMS, 0); }
  void SetUp() override {
    if (transport() == "in-process") return;
    daemon_ = std::make_unique<Daemon>();
    address_ = ":" + daemon_->socket();
  }
  [[nodiscard]] static std::string transport() { return GetParam(); }

  struct Outcome {
    std::string failed;  // call
    std::string error;   // its text; empty: all went well
  };
  [[nodiscard]] Outcome with_failing(unsigned k) const {
    for (int attempt = 0;; ++attempt) {
      const FailingCall call(k);
      try {
        EXPECT_TRUE(test::use_device(transport() + address_))
            << "wrong results, and no error, when " << call.failed() << " failed as call " << k;
        return {call.failed(), ""};
      } catch (const Exception& error) {
        if (attempt == 1000 || !test::is_taken(error.error())) {
          EXPECT_TRUE(error.error().sentence().ends_with('.')) << error.what();
          return {call.failed(), error.what()};
        }
      } catch (const std::exception& error) {
        ADD_FAILURE() << "not an error of ours, when " << call.failed() << " failed as call " << k
                      << ": " << error.what();
        return {call.failed(), error.what()};
      }
      std::this_thread::sleep_for(1ms);
    }
  }

 private:
  std::unique_ptr<Daemon> daemon_;
  std::string address_;
};

TEST_P(FaultPoints, EachGivesAClearErrorInTimeAndLeavesNothingBehind) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(with_failing(0).error, "");  // makes what is kept
  const Daemon::Holdings before = Daemon::holdings_of(::getpid());
  unsigned k = 1, errors = 0;
  for (;; ++k) {
    ASSERT_LT(k, 5000u) << "there is no end of calls";
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = with_failing(k);
    const auto took = std::chrono::steady_clock::now() - start;
    if (outcome.failed.empty()) break;
    SCOPED_TRACE("call " + std::to_string(k) + ", " + outcome.failed + ", failed: " +
                 (outcome.error.empty() ? "no error" : outcome.error));
    EXPECT_LT(took, test::patience(7s));  // the liveness limit and a margin
    errors += !outcome.error.empty();
    Daemon::Holdings now = Daemon::holdings_of(::getpid());
    // The kernel may list a thread for a moment after it was joined.
    for (int i = 0; i < 1000 && now.threads > before.threads; ++i) {
      std::this_thread::sleep_for(1ms);
      now = Daemon::holdings_of(::getpid());
    }
    EXPECT_EQ(now.descriptors, before.descriptors);
    EXPECT_EQ(now.threads, before.threads);
    EXPECT_LE(now.mappings, before.mappings + test::kSpareMappings);
    if (HasFailure()) break;
  }
  RecordProperty("calls", static_cast<int>(k - 1));
  RecordProperty("errors", static_cast<int>(errors));
  EXPECT_GT(errors, 3u) << "hardly any call was let fail";
  EXPECT_EQ(with_failing(0).error, "") << "the device is as usable as before";
}

INSTANTIATE_TEST_SUITE_P(, FaultPoints,
                         testing::Values("in-process", "vfio-user", "vfio-user-in-band"),
                         [](const auto& transport) {
                           std::string name = transport.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace d1
