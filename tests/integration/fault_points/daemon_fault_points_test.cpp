// SPDX-License-Identifier: Apache-2.0
// A daemon whose k-th call to the host's kernel fails, for each k until there are no more calls:
// while it starts, and while a client attaches, works and leaves. It serves the next client as if
// nothing had been, or ends with a sentence; nobody waits for longer than promised.
#include <gtest/gtest.h>

#include <d1/driver/device.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <daemon.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <regex>
#include <rounds.hpp>
#include <string>
#include <thread>
#include <vector>

#include "device_use.hpp"
#include "failing_calls.hpp"

namespace d1 {
namespace {

using test::ChildProcess;
using test::Daemon;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kStarting = test::patience(10s), kEnding = test::patience(5s);
constexpr auto kServing = test::patience(7s);  // the liveness limit and a margin

class DaemonFaultPoints : public testing::Test {
 protected:
  DaemonFaultPoints() {
    std::string name = "/tmp/d1-fault-points-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    state_ = std::make_unique<test::SharedFaultState>(folder_ / "state");
    ::setenv(test::kStateVariable, (folder_ / "state").c_str(), 1);
  }
  ~DaemonFaultPoints() override {
    ::unsetenv(test::kStateVariable);
    process_.reset();
    state_.reset();
    fs::remove_all(folder_);
  }

  // Whether it serves; if it does not, it may have ended.
  [[nodiscard]] bool start() {
    const std::vector<std::string> words = {D1_TEST_FAULTY_D1, "serve", "--log-level",
                                            "warn",            "--dir", sockets()};
    process_.emplace(words, folder_ / "errors");
    return process_->wait_for_byte(kStarting);
  }
  [[nodiscard]] std::string sockets() const { return folder_ / "sockets"; }
  [[nodiscard]] std::string device(const std::string& transport) const {
    return transport + ":" + sockets() + "/d1.sock";
  }
  [[nodiscard]] std::string said() const {
    std::ifstream file(folder_ / "errors");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // That it has ended, by itself and as a program that could not go on.
  void expect_ended_with_a_sentence() {
    const auto status = process_->wait_for_end(kEnding);
    ASSERT_TRUE(status) << "it neither serves nor ends; it said: " << said();
    EXPECT_TRUE(WIFEXITED(*status) && WEXITSTATUS(*status) != 0)
        << "wait status " << *status << "; it said: " << said();
    // A line of its own, perhaps with lines of what was being done meanwhile.
    EXPECT_TRUE(std::regex_search(said(), std::regex("(^|\n)error: [a-z ]+: [^\n]+\\.\n")))
        << said();
  }
  // Its heart, without which clients give it up later.
  void expect_beats() const {
    driver::DeviceOptions options;
    options.transport = device("vfio-user");
    options.liveness_limit = test::patience(300ms);
    for (int attempt = 0;; ++attempt) {
      auto opened = driver::Device::open(options);
      if (!opened && test::is_taken(opened.error()) && attempt < 1000) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      ASSERT_TRUE(opened) << opened.error().to_string();
      const auto end = Clock::now() + 2 * options.liveness_limit;
      for (; Clock::now() < end; std::this_thread::sleep_for(10ms)) (*opened)->check_alive();
      EXPECT_FALSE((*opened)->lost()) << "its heartbeat stands still";
      return;
    }
  }
  void expect_ends_when_asked() {
    process_->signal(SIGTERM);
    const auto status = process_->wait_for_end(kEnding);
    ASSERT_TRUE(status) << "it does not end when asked";
    EXPECT_EQ(*status, 0) << said();
  }
  // Text of the error; empty: all went well.
  [[nodiscard]] std::string use(const std::string& transport) const {
    for (int attempt = 0;; ++attempt) {
      try {
        EXPECT_TRUE(test::use_device(device(transport))) << "wrong results, and no error";
        return "";
      } catch (const Exception& error) {
        if (attempt == 1000 || !test::is_taken(error.error())) {
          EXPECT_TRUE(error.error().sentence().ends_with('.')) << error.what();
          return error.what();
        }
      }
      std::this_thread::sleep_for(1ms);
    }
  }
  // The daemon's thread lets go of a client a moment after the client has gone.
  [[nodiscard]] Daemon::Holdings holdings(const std::optional<Daemon::Holdings>& awaited) const {
    for (int attempt = 0;; ++attempt) {
      const auto now = Daemon::holdings_of(process_->id());
      if (!awaited || attempt == 1000 ||
          (now.descriptors <= awaited->descriptors && now.threads <= awaited->threads))
        return now;
      std::this_thread::sleep_for(1ms);
    }
  }

  fs::path folder_;
  std::unique_ptr<test::SharedFaultState> state_;
  std::optional<ChildProcess> process_;
};

TEST_F(DaemonFaultPoints, ADaemonStartsOrEndsWithASentence) {
  unsigned k = 1, ended = 0;
  for (;; ++k) {
    ASSERT_LT(k, 1000u) << "there is no end of calls";
    (*state_)->arm(k);
    const bool serves = start();
    (*state_)->disarm();
    const std::string failed = (*state_)->failed_call();
    SCOPED_TRACE("call " + std::to_string(k) + ", " + failed + ", failed");
    if (!serves) {
      ASSERT_FALSE(failed.empty()) << "it does not start: " << said();
      expect_ended_with_a_sentence();
      EXPECT_TRUE(!fs::exists(sockets()) || fs::is_empty(sockets())) << "it left a socket";
      ++ended;
    } else {
      for (int client = 0; client < 2; ++client) EXPECT_EQ(use("vfio-user"), "");
      if (failed.starts_with("epoll") || failed.starts_with("timer")) expect_beats();
      expect_ends_when_asked();
    }
    if (failed.empty() || HasFailure()) break;
    fs::remove_all(sockets());
  }
  RecordProperty("calls", static_cast<int>(k - 1));
  RecordProperty("ended", static_cast<int>(ended));
  EXPECT_GT(ended, 3u) << "hardly any call was let fail";
}

class DaemonFaultPointsOfAClient : public DaemonFaultPoints,
                                   public testing::WithParamInterface<const char*> {};

TEST_P(DaemonFaultPointsOfAClient, TheNextClientIsServedOrTheDaemonEndsWithASentence) {
  std::optional<Daemon::Holdings> before;
  unsigned k = 1, errors = 0, ended = 0;
  for (;; ++k) {
    ASSERT_LT(k, 5000u) << "there is no end of calls";
    if (!process_) {
      ASSERT_TRUE(start()) << said();
      const Daemon::Holdings without_client = holdings({});
      for (int i = 0; i < 3; ++i) ASSERT_EQ(use(GetParam()), "");  // makes what is kept
      before = holdings(without_client);
    }
    (*state_)->arm(k);
    const auto start_of_use = Clock::now();
    const std::string error = use(GetParam());
    const auto took = Clock::now() - start_of_use;
    (*state_)->disarm();
    const std::string failed = (*state_)->failed_call();
    if (failed.empty()) break;
    SCOPED_TRACE("call " + std::to_string(k) + ", " + failed + ", failed: " +
                 (error.empty() ? "no error" : error));
    EXPECT_LT(took, kServing);
    errors += !error.empty();
    if (const std::string next = use(GetParam()); next.empty()) {
      const Daemon::Holdings now = holdings(before);
      EXPECT_EQ(now.descriptors, before->descriptors);
      EXPECT_EQ(now.threads, before->threads);
      EXPECT_LE(now.mappings, before->mappings + test::kSpareMappings);
    } else {
      EXPECT_NO_FATAL_FAILURE(expect_ended_with_a_sentence()) << "the next client: " << next;
      process_.reset();
      ++ended;
    }
    if (HasFailure()) break;
  }
  RecordProperty("calls", static_cast<int>(k - 1));
  RecordProperty("errors", static_cast<int>(errors));
  RecordProperty("ended", static_cast<int>(ended));
  EXPECT_GT(errors, 3u) << "hardly any call was let fail";
  if (!HasFailure()) expect_ends_when_asked();
}

INSTANTIATE_TEST_SUITE_P(, DaemonFaultPointsOfAClient,
                         testing::Values("vfio-user", "vfio-user-in-band"),
                         [](const auto& transport) {
                           std::string name = transport.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace d1
