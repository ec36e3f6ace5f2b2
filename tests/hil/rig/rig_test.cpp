// SPDX-License-Identifier: Apache-2.0
// The rig over a daemon of its own.
#include <cstdlib>
#include <thread>

#include "fixture.hpp"

namespace d1::hil::test {
namespace {

TEST(Rig, HasADeviceThatWorksLikeAnyOther) {
  Rig rig;
  Device device = rig.open();
  EXPECT_EQ(device.info().nodes, 354u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(use(device, i), expected(i));
  // Who only looks whether it is done sees the end, too.
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(16);
  const std::vector<int> values(16, 3);
  const Launch copy = stream.copy_in(buffer, values);
  for (const auto give_up = Clock::now() + 10s; !copy.done() && Clock::now() < give_up;)
    std::this_thread::yield();
  EXPECT_TRUE(copy.done());
}

TEST(Rig, OpensItsDeviceAgainAndAgainAndKeepsItsMemory) {
  Rig rig({.record = false});
  const std::vector<int> values(64, 42);
  std::vector<int> result(64);
  {
    Device device = rig.open();
    auto buffer = device.hbm<int>(64);
    device.stream().copy_in(buffer, values).wait();
  }
  Device device = rig.open();
  auto buffer = device.hbm<int>(64);  // the same place
  device.stream().copy_out(result, buffer).wait();
  EXPECT_EQ(result, values);
}

TEST(Rig, PowerCyclesLoseWhatTheDeviceHad) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control);
  const std::vector<int> values(64, 42);
  std::vector<int> result(64, -1);
  {
    Device device = rig.open();
    auto buffer = device.hbm<int>(64);
    Stream stream = device.stream();
    stream.copy_in(buffer, values).wait();
    rig.power_cycle();
    EXPECT_EQ(error_of([&] { stream.copy_out(result, buffer).wait(10s); }), ErrorKind::DeviceLost);
  }
  Device device = rig.open();
  auto buffer = device.hbm<int>(64);
  device.stream().copy_out(result, buffer).wait();
  EXPECT_EQ(result, std::vector<int>(64, 0));
  EXPECT_EQ(use(device), expected());
}

TEST(Rig, ADeviceWithoutPowerCannotBeOpened) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control);
  rig.power_off();
  EXPECT_EQ(error_of([&] { (void)rig.open(); }), ErrorKind::DeviceLost);
  rig.power_on();
  Device device = rig.open();
  EXPECT_EQ(use(device), expected());
}

TEST(Rig, ADeviceHeldInResetIsReadyWhenItIsReleased) {
  Rig rig;
  rig.hold_in_reset();
  std::jthread release([&] {
    std::this_thread::sleep_for(200ms);
    rig.release();
  });
  const auto start = Clock::now();
  Device device = rig.open();
  EXPECT_GE(Clock::now() - start, 150ms);
  EXPECT_EQ(use(device), expected());
}

TEST(Rig, HoldingADeviceInResetStopsWhatItDoes) {
  Rig rig;
  {
    Device device = rig.open();
    Stream stream = device.stream();
    LaunchOptions options;
    const Launch endless =
        device.load(std::as_bytes(std::span(rig_kernels_program)), "rig_kernels")
            .kernel("spin")
            .launch(stream, device.grid(2, 2), options, 4'000'000'000u);
    std::this_thread::sleep_for(20ms);
    rig.hold_in_reset();
    EXPECT_EQ(error_of([&] { endless.wait(10s); }), ErrorKind::DeviceLost);
    rig.release();
  }
  Device device = rig.open();
  EXPECT_EQ(use(device), expected());
}

TEST(Rig, CountsInterruptsAndWaitsForThem) {
  Rig rig;
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64);
  const unsigned vector = 1;  // of the second queue; the runtime's own has the first
  const std::uint64_t before = rig.interrupts(vector);
  std::vector<Launch> copies;
  for (int i = 0; i < 8; ++i) copies.push_back(stream.copy_in(buffer, values));
  EXPECT_TRUE(rig.wait_for_interrupts(vector, before + 8, 10s));
  EXPECT_FALSE(rig.wait_for_interrupts(vector, before + 9, 50ms));
  for (const Launch& copy : copies) copy.wait(10s);
}

TEST(Rig, DoesAtAnEventWhatATestWants) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control);
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64);
  stream.copy_in(buffer, values).wait();
  rig.on(command(3, D1_COMMAND_COPY), [&] { rig.kill(); });
  int done = 0;
  EXPECT_EQ(error_of([&] {
              for (; done < 10; ++done) stream.copy_in(buffer, values).wait(10s);
            }),
            ErrorKind::DeviceLost);
  EXPECT_LE(done, 3);
  EXPECT_GE(done, 2);
}

TEST(Rig, InjectsFaultsNowAndAtAnEvent) {
  Rig rig;
  D1_HIL_NEEDS(rig, fault_injection);
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64);
  rig.inject("[[fault]]\nkind = 'dma_error'\nopcode = 'copy'\n");
  EXPECT_EQ(error_of([&] { stream.copy_in(buffer, values).wait(); }), ErrorKind::Hardware);
  stream.copy_in(buffer, values).wait();
  rig.on(completion(2, D1_COMMAND_COPY),
         [&] { rig.inject("[[fault]]\nkind = 'dma_error'\nopcode = 'copy'\n"); });
  stream.copy_in(buffer, values).wait();
  stream.copy_in(buffer, values).wait();
  EXPECT_EQ(error_of([&] { stream.copy_in(buffer, values).wait(); }), ErrorKind::Hardware);
  EXPECT_EQ(rig.fault_events().size(), 2u);
}

TEST(Rig, AStoppedDaemonThatGoesOnLosesNothing) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control);
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64, 6);
  rig.stop();
  const Launch copy = stream.copy_in(buffer, values);
  EXPECT_EQ(error_of([&] { copy.wait(200ms); }), ErrorKind::Timeout);
  rig.go_on();
  copy.wait(10s);
}

TEST(Rig, SaysWhatItsTargetLacks) {
  Rig rig;
  EXPECT_EQ(rig.missing({nodes(354), hbm_bytes(1), fault_injection, power_control}), "");
  EXPECT_EQ(rig.missing({fault_injection, nodes(355)}),
            "This test needs 355 nodes, and '" + rig.target() + "' has 354.");
}

TEST(Rig, AttachesToWhatTheEnvironmentNames) {
  Rig daemon;
  ::setenv("D1_HIL_TARGET", daemon.target().c_str(), 1);
  {
    Rig rig;
    EXPECT_EQ(rig.target(), daemon.target());
    EXPECT_NE(rig.missing({process_control}), "");
    EXPECT_NE(rig.missing({power_control}).find("set D1_HIL_POWER"), std::string::npos);
    EXPECT_EQ(error_of([&] { rig.kill(); }), ErrorKind::Unsupported);
    EXPECT_EQ(error_of([&] { rig.power_cycle(); }), ErrorKind::Unsupported);
    Device device = rig.open();
    EXPECT_EQ(use(device), expected());
  }
  const std::string marks = daemon.artefacts() + "/marks";
  ::setenv("D1_HIL_POWER", ("f() { echo $1 >> " + marks + "; }; f").c_str(), 1);
  {
    Rig rig;
    EXPECT_EQ(rig.missing({power_control}), "");
    rig.power_off();
    rig.power_on();
    rig.power_cycle();
    ::setenv("D1_HIL_POWER", "false", 1);
    Rig broken;
    EXPECT_EQ(error_of([&] { broken.power_cycle(); }), ErrorKind::DeviceLost);
  }
  ::unsetenv("D1_HIL_TARGET");
  ::unsetenv("D1_HIL_POWER");
}

TEST(Rig, ADaemonThatDoesNotStartIsAnError) {
  EXPECT_EQ(error_of([] { Rig rig({.machine = "no-such-machine"}); }), ErrorKind::DeviceLost);
}

TEST(Rig, WorksOverADeviceInThisProcessAndInBand) {
  Rig daemon({.record = false});
  const std::string in_band = "vfio-user-in-band" + daemon.target().substr(9);
  for (const std::string& target : {std::string("in-process"), in_band}) {
    ::setenv("D1_HIL_TARGET", target.c_str(), 1);
    Rig rig;
    Device device = rig.open();
    EXPECT_EQ(use(device), expected()) << target;
    EXPECT_EQ(use(device, 9), expected(9)) << target;
  }
  ::unsetenv("D1_HIL_TARGET");
}

}  // namespace
}  // namespace d1::hil::test
