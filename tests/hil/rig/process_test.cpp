// SPDX-License-Identifier: Apache-2.0
// The daemon of a rig, in all states that a process can be in.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fixture.hpp"

namespace d1::hil::test {
namespace {

constexpr const char* kKill = "[[fault]]\nkind = 'daemon_kill'\n";
constexpr const char* kRestart = "[[fault]]\nkind = 'daemon_restart'\n";

TEST(Daemon, MayBeStoppedTwice) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control);
  rig.stop();
  rig.stop();
  rig.go_on();
  Device device = rig.open();
  EXPECT_EQ(use(device), expected());
}

TEST(Daemon, ThatIsStoppedCanBeSwitchedOffOrKilled) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control, power_control);
  rig.stop();
  rig.power_cycle();
  rig.stop();
  rig.kill();
  rig.power_on();
  Device device = rig.open();
  EXPECT_EQ(use(device), expected());
}

TEST(Daemon, ThatIsGoneGetsNoSignals) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control);
  rig.kill();
  EXPECT_EQ(error_of([&] { rig.stop(); }), ErrorKind::Unsupported);
  EXPECT_EQ(error_of([&] { rig.kill(); }), ErrorKind::Unsupported);
}

// Lost: what a daemon fault does to who has the device open.
void lose(Rig& rig, const char* plan) {
  Device device = rig.open();
  rig.inject(plan);
  EXPECT_EQ(error_of([&] {
              for (int i = 0; i < 1000; ++i) (void)use(device);
            }),
            ErrorKind::DeviceLost);
}

TEST(Daemon, ThatAFaultKilledIsStartedByPowerOn) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control, fault_injection);
  lose(rig, kKill);
  rig.power_on();
  Device device = rig.open();
  EXPECT_EQ(use(device), expected());
}

TEST(Daemon, ThatAFaultKilledGetsNoSignals) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control, fault_injection);
  lose(rig, kKill);
  EXPECT_EQ(error_of([&] { rig.stop(); }), ErrorKind::Unsupported);
  EXPECT_EQ(error_of([&] { rig.kill(); }), ErrorKind::Unsupported);
}

TEST(Daemon, ThatAFaultRestartsIsThereAgain) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control, fault_injection);
  lose(rig, kRestart);
  for (const auto give_up = Clock::now() + 30s; Clock::now() < give_up;) {
    try {
      Device device = rig.open();
      EXPECT_EQ(use(device), expected());
      return;
    } catch (const Exception&) {
      std::this_thread::sleep_for(20ms);
    }
  }
  FAIL() << "it is not";
}

TEST(Daemon, EndsWithATestThatCrashes) {
  std::string name = "/tmp/d1-crash-XXXXXX";
  const std::string folder = ::mkdtemp(name.data());
  const std::string command = "cd " + folder + " && D1_HIL_ARTEFACTS=kept " + D1_TEST_RIG_FAILS +
                              " --gtest_filter=Crashes.* > out 2>&1";
  EXPECT_NE(std::system(command.c_str()), 0);
  std::ifstream said(folder + "/kept/Crashes.InTheMiddle/target");
  std::string target;
  ASSERT_TRUE(std::getline(said, target));
  const auto give_up = Clock::now() + 30s;
  while (driver::open_transport(target, {}) && Clock::now() < give_up)
    std::this_thread::sleep_for(20ms);
  EXPECT_LT(Clock::now(), give_up) << target << " is still served";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace d1::hil::test
