// SPDX-License-Identifier: Apache-2.0
// Tests for artefacts_test.cpp, which runs them by suites: one passes, one fails, one ends with an
// exception, one is skipped; others fail in ways of their own.
#include <gtest/gtest.h>
#include <d1/hil/rig.hpp>

#include <csignal>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace {

void copy(d1::Device& device) {
  auto buffer = device.hbm<int>(16);
  const std::vector<int> values(16);
  device.stream().copy_in(buffer, values).wait();
}

TEST(Fails, NotAtAll) {
  d1::hil::Rig rig;
  d1::Device device = rig.open();
  copy(device);
}

TEST(Fails, AtAnExpectation) {
  d1::hil::Rig rig;
  d1::Device device = rig.open();
  copy(device);
  EXPECT_EQ(1, 2);
}

TEST(Fails, WithAnException) {
  d1::hil::Rig rig;
  d1::Device device = rig.open();
  copy(device);
  throw std::runtime_error("on purpose");
}

TEST(Fails, NotButIsSkipped) {
  d1::hil::Rig rig;
  D1_HIL_NEEDS(rig, d1::hil::nodes(1'000'000));
  FAIL();
}

// How a test can fail besides; each is run alone.
TEST(Late, BehindItsRig) {
  {
    d1::hil::Rig rig;
    d1::Device device = rig.open();
    copy(device);
  }
  EXPECT_EQ(1, 2);
}

TEST(Late, WithTwoRigs) {
  d1::hil::Rig first;
  d1::Device device = first.open();
  copy(device);
  {
    d1::hil::Rig second;
    d1::Device other = second.open();
    copy(other);
  }
  EXPECT_EQ(1, 2);
}

// The driver has the lock of the queue with which the state is asked for.
TEST(Late, InAnAction) {
  d1::hil::Rig rig;
  d1::Device device = rig.open();
  rig.on(d1::hil::command(1, D1_COMMAND_GRID), [] { EXPECT_EQ(1, 2); });
  (void)device.grid(2, 2);
  copy(device);
}

TEST(Late, WithAStoppedDaemon) {
  d1::hil::Rig rig;
  d1::Device device = rig.open();
  copy(device);
  rig.stop();
  EXPECT_EQ(1, 2);
}

class OneRig : public testing::Test {
 protected:
  static void SetUpTestSuite() { rig = std::make_unique<d1::hil::Rig>(); }
  static void TearDownTestSuite() { rig.reset(); }
  static inline std::unique_ptr<d1::hil::Rig> rig;
};

TEST_F(OneRig, Fails) {
  d1::Device device = rig->open();
  copy(device);
  EXPECT_EQ(1, 2);
}

TEST_F(OneRig, Passes) {
  d1::Device device = rig->open();
  copy(device);
}

TEST(Crashes, InTheMiddle) {
  d1::hil::Rig rig;
  std::ofstream(rig.artefacts() + "/target") << rig.target() << "\n";
  d1::Device device = rig.open();
  copy(device);
  rig.on(d1::hil::command(1, D1_COMMAND_COPY), [] { std::raise(SIGKILL); });
  copy(device);
}

}  // namespace
