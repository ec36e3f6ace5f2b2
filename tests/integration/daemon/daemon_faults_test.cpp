// SPDX-License-Identifier: Apache-2.0
// Faults of the daemon itself, by plan: killed, stopped, restarted.
#include <gtest/gtest.h>
#include <d1/d1.hpp>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <daemon.hpp>
#include <fstream>
#include <thread>

namespace d1 {
namespace {

using test::Daemon;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class DaemonFaults : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("D1_PROGRAMS", D1_TEST_PROGRAMS, 0); }

  static ErrorKind error_of(const Launch& operation, nanoseconds timeout) {
    try {
      operation.wait(timeout);
    } catch (const Exception& problem) {
      return problem.kind();
    }
    ADD_FAILURE() << "it did not fail";
    return ErrorKind::Internal;
  }
  std::vector<int> values = std::vector<int>(64, 5), result = std::vector<int>(64);
};

TEST_F(DaemonFaults, AKillEndsWhatIsInFlightAsLostWithinASecond) {
  Daemon daemon;
  Device device = Device::open(daemon.device());
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  device.inject_faults("[[fault]]\nkind = 'completion_delay'\ndelay_ms = 60_000\n"
                       "[[fault]]\nkind = 'daemon_kill'\n");
  const Launch copy = stream.copy_in(buffer, values);
  const auto start = Clock::now();
  EXPECT_EQ(error_of(copy, 10s), ErrorKind::DeviceLost);
  EXPECT_LT(Clock::now() - start, 1s);
  EXPECT_EQ(daemon.end(0), SIGKILL);
}

TEST_F(DaemonFaults, AStopThatEndsInTimeIsAPause) {
  Daemon daemon;
  Device device = Device::open(daemon.device());
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  device.inject_faults("[[fault]]\nkind = 'daemon_stop'\nat_command = 1\nfor_ms = 400\n");
  const auto start = Clock::now();
  stream.copy_in(buffer, values);
  stream.copy_out(result, buffer).wait(10s);
  EXPECT_GE(Clock::now() - start, 350ms);
  EXPECT_EQ(result, values);
  EXPECT_EQ(daemon.end(SIGTERM), 0);
}

TEST_F(DaemonFaults, ARestartLosesTheDeviceAndServesANewOneWithoutItsPlan) {
  const std::string plan = "/tmp/d1-restart-" + std::to_string(::getpid()) + ".toml";
  std::ofstream(plan) << "[[fault]]\nkind = 'daemon_restart'\nat_command = 20\n";
  Daemon daemon({"--faults", plan});
  const pid_t process = daemon.process();
  {
    Device device = Device::open(daemon.device());
    Stream stream = device.stream();
    auto buffer = device.hbm<int>(64);
    ErrorKind end = ErrorKind::Internal;
    try {
      for (int i = 0; i < 100; ++i) stream.copy_in(buffer, values).wait(10s);
    } catch (const Exception& problem) {
      end = problem.kind();
    }
    EXPECT_EQ(end, ErrorKind::DeviceLost);
  }
  ::unlink(plan.c_str());
  std::optional<Device> device;
  for (const auto give_up = Clock::now() + 20s; !device && Clock::now() < give_up;) try {
      device = Device::open(daemon.device());
    } catch (const Exception&) {
      std::this_thread::sleep_for(10ms);
    }
  ASSERT_TRUE(device);
  Stream stream = device->stream();
  auto buffer = device->hbm<int>(64);
  for (int i = 0; i < 30; ++i) stream.copy_in(buffer, values).wait(10s);
  stream.copy_out(result, buffer).wait(10s);
  EXPECT_EQ(result, values);
  EXPECT_EQ(daemon.process(), process);
  EXPECT_EQ(daemon.end(SIGTERM), 0) << "signals still end it";
}

TEST_F(DaemonFaults, ADeviceInThisProcessRefusesThem) {
  DeviceOptions options;
  options.transport = "in-process";
  try {
    Device::open(options).inject_faults("[[fault]]\nkind = 'daemon_kill'\n");
    ADD_FAILURE() << "it was accepted";
  } catch (const Exception& problem) {
    EXPECT_EQ(problem.kind(), ErrorKind::Unsupported);
    EXPECT_NE(std::string(problem.what()).find("needs a daemon"), std::string::npos);
  }
}

}  // namespace
}  // namespace d1
