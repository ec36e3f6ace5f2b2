// SPDX-License-Identifier: Apache-2.0
// A random client of a daemon that is stopped, killed and started and whose device breaks, by seed:
// whatever it was told of each operation agrees with what the device can have done.
#include "history.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <d1/d1.hpp>

#include <array>
#include <chrono>
#include <count_program.hpp>
#include <cstdlib>
#include <daemon.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <rounds.hpp>
#include <thread>

namespace d1 {
namespace {

using namespace std::chrono_literals;
using test::Asked;
using test::Daemon;
using test::History;
using test::Outcome;

constexpr int kRounds = test::kSanitized ? 100 : 400;  // own: about a minute
constexpr unsigned kCells = 4, kCounters = 2, kStreams = 3, kMostInFlight = 24;

// Faults by which operations come late, fail or are lost, and none that a device keeps to itself.
struct Plan {
  std::string toml;
  bool loses = false;  // perhaps the device
};

Plan plan_of(std::mt19937_64& random) {
  Plan plan{fmt::format("seed = {}\n", random() % 1'000'000)};
  const auto add = [&](std::string_view fault) {
    std::string text = "[[fault]]\n";
    for (const char c : fault) text += c == ';' ? '\n' : c;
    plan.toml += text + "\n";
  };
  add("kind = 'dma_error'; opcode = 'copy'; chance = 0.05");
  add("kind = 'interrupt_double'; chance = 0.1");
  if (random() % 4 == 0) add("kind = 'interrupt_lost'; chance = 0.01; times = 2");
  if (random() % 2 == 0) add("kind = 'completion_delay'; chance = 0.01; delay_ms = 2");
  if (random() % 2 == 0) add("kind = 'queue_stuck'; chance = 0.01; for_ms = 2; times = 3");
  if (random() % 2 == 0) add("kind = 'node_stop'; node = 'n0,0'; chance = 0.1; for_cycles = 9000");
  if (random() % 4 == 0) add("kind = 'pcie_retrain'; chance = 0.01; for_ms = 3; times = 2");
  if (random() % 4 != 0) return plan;
  plan.loses = true;
  constexpr const char* kLosses[] = {"daemon_kill", "daemon_restart", "surprise_removal"};
  add(fmt::format("kind = '{}'; at_command = [20, 400]", kLosses[random() % 3]));
  return plan;
}

// A device as opened, and what is under way on it.
class Client {
 public:
  Client(const std::string& transport, History& history, unsigned first_stream)
      : history_(history), first_stream_(first_stream), device_(open(transport)),
        kernel_(device_.load(count_program, "count").kernel("count")) {
    for (auto& stream : streams_) stream.emplace(device_.stream());
  }

  void act(std::mt19937_64& random) {
    const auto chosen = static_cast<unsigned>(random() % kStreams);
    Stream& stream = *streams_[chosen];
    const unsigned number = first_stream_ + chosen;
    const auto cell = static_cast<unsigned>(random() % kCells);
    const auto counter = static_cast<unsigned>(random() % kCounters);
    auto operation = std::make_unique<Pending>();
    switch (random() % 5) {
      case 0:
      case 1:
        operation->value = history_.size() + 1;
        operation->number = history_.begin(Asked::Write, cell, operation->value, number);
        submit(*operation, [&] {
          return stream.copy_in(cells_, std::span(&operation->value, 1), cell * kStride);
        });
        break;
      case 2:
      case 3:
        operation->number = history_.begin(Asked::Read, cell, 0, number);
        submit(*operation, [&] {
          return stream.copy_out(std::span(&operation->value, 1), cells_, cell * kStride);
        });
        break;
      default:
        if (random() % 3 != 0) count(*operation, counter);
        else look(*operation, counter);
    }
    pending_.push_back(std::move(operation));
    while (pending_.size() > kMostInFlight || (!pending_.empty() && random() % 4 == 0)) take();
  }
  void break_device(const Plan& plan) { device_.inject_faults(plan.toml); }
  void finish() {
    while (!pending_.empty()) take();
  }
  [[nodiscard]] bool lost() const { return lost_; }
  // All streams closed with what is on them.
  void leave() {
    for (auto& stream : streams_) stream.reset();
    while (!pending_.empty()) take();
  }

 private:
  struct Pending {
    std::size_t number = 0;
    std::uint64_t value = 0;
    std::optional<Launch> launch;
  };
  static constexpr std::size_t kStride = 8;  // elements: a packet each

  static Device open(const std::string& transport) {
    DeviceOptions options;
    options.transport = transport;
    for (int attempt = 0;; ++attempt) {
      try {
        return Device::open(options);
      } catch (const Exception& error) {  // the one before has not been seen to be gone
        if (attempt == 2000 || error.error().kind() != ErrorKind::ResourceExhausted) throw;
        std::this_thread::sleep_for(1ms);
      }
    }
  }
  // Launches that share nodes must not overlap, so counters belong to the first stream.
  void count(Pending& operation, unsigned counter) {
    operation.number = history_.begin(Asked::Count, counter, 0, first_stream_);
    submit(operation, [&] {
      LaunchOptions options;
      options.harts = 1;
      return kernel_.launch(*streams_[0], grid_, options, counters_, std::uint64_t{counter});
    });
  }
  void look(Pending& operation, unsigned counter) {
    operation.number = history_.begin(Asked::ReadCounter, counter, 0, first_stream_);
    submit(operation, [&] {
      return streams_[0]->copy_out(std::span(&operation.value, 1), counters_, counter);
    });
  }
  template <typename Submit>
  void submit(Pending& operation, Submit&& submit) {
    try {
      operation.launch.emplace(submit());
    } catch (const Exception& error) {
      note(error.error());
    }
  }
  void take() {
    const std::unique_ptr<Pending> operation = std::move(pending_.front());
    pending_.pop_front();
    Outcome outcome = Outcome::Unknown;
    try {
      if (operation->launch) {
        operation->launch->wait(10s);
        outcome = Outcome::Done;
      }
    } catch (const Exception& error) {
      note(error.error());
    }
    history_.end(operation->number, outcome, operation->value);
  }
  void note(const Error& error) {
    lost_ |= error.kind() == ErrorKind::DeviceLost;
    EXPECT_TRUE(error.kind() == ErrorKind::DeviceLost || error.kind() == ErrorKind::Cancelled ||
                error.kind() == ErrorKind::Hardware)
        << error.to_string();
  }

  History& history_;
  const unsigned first_stream_;
  Device device_;
  Kernel kernel_;
  Grid grid_ = device_.grid(1, 1);
  Buffer<std::uint64_t> cells_ = device_.hbm<std::uint64_t>(kCells * kStride);
  Buffer<std::uint64_t> counters_ = device_.replicated<std::uint64_t>(kCounters, grid_);
  std::deque<std::unique_ptr<Pending>> pending_;
  std::array<std::optional<Stream>, kStreams> streams_;
  bool lost_ = false;
};

class Histories : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("D1_PROGRAMS", D1_TEST_PROGRAMS, 0); }
  // Until nothing is as it was: one life of a daemon.
  static void live(std::uint64_t seed, const char* transport) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " over " + transport);
    std::mt19937_64 random(seed);
    Daemon daemon;
    History history;
    const std::string address = std::string(transport) + ":" + daemon.socket();
    unsigned streams = 0;
    bool lives = true;
    const Plan plan = plan_of(random);
    for (int client = 0; client < 4 && lives; ++client) try {
      Client one(address, history, streams);
      streams += kStreams;
      if (client == 0) one.break_device(plan);
      const auto acts = 20 + random() % 150;
      for (std::uint64_t i = 0; i < acts && !one.lost(); ++i) {
        one.act(random);
        if (random() % 200 == 0) {
          daemon.signal(SIGSTOP);
          std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
          daemon.signal(SIGCONT);
        }
        if (random() % 400 == 0) {
          daemon.end(SIGKILL);
          lives = false;
        }
      }
      if (random() % 2 == 0) one.finish();
      else one.leave();
      EXPECT_TRUE(!one.lost() || !lives || plan.loses) << "lost without a reason";
      if (one.lost()) lives = false;
    } catch (const Exception& problem) {  // as it was opened
      EXPECT_TRUE(plan.loses && problem.kind() == ErrorKind::DeviceLost) << problem.what();
      lives = false;
    }
    EXPECT_EQ(history.fault(), "") << plan.toml;
  }
};

TEST_F(Histories, OfRandomClientsCanHaveBeen) {
  for (int round = 0; round < test::rounds(kRounds); ++round)
    for (const char* transport : {"vfio-user", "vfio-user-in-band"}) {
      live(20261126 + static_cast<std::uint64_t>(round), transport);
      if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace d1
