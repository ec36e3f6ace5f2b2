// SPDX-License-Identifier: Apache-2.0
// Tests for artefacts_test.cpp: one passes, one fails, one ends with an exception, one is skipped.
#include <gtest/gtest.h>
#include <d1/hil/rig.hpp>

#include <csignal>
#include <fstream>
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

// Run alone, since nothing comes behind it.
TEST(Crashes, InTheMiddle) {
  d1::hil::Rig rig;
  std::ofstream(rig.artefacts() + "/target") << rig.target() << "\n";
  d1::Device device = rig.open();
  copy(device);
  std::raise(SIGKILL);
}

}  // namespace
