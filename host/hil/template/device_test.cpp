// SPDX-License-Identifier: Apache-2.0
// A test on a device: an emulated one in a daemon of the test's own, or what D1_HIL_TARGET names.
#include <gtest/gtest.h>
#include <d1/hil/rig.hpp>

#include <chrono>
#include <vector>

using namespace std::chrono_literals;

TEST(Device, KeepsWhatIsWrittenToItsMemory) {
  d1::hil::Rig rig;
  d1::Device device = rig.open();
  d1::Stream stream = device.stream();
  auto buffer = device.hbm<int>(1000);
  const std::vector<int> values(1000, 7);
  std::vector<int> result(1000);
  stream.copy_in(buffer, values);
  stream.copy_out(result, buffer).wait(10s);
  EXPECT_EQ(result, values);
}

TEST(Device, IsLostWithinASecondWhenItsDaemonDies) {
  d1::hil::Rig rig;
  D1_HIL_NEEDS(rig, d1::hil::process_control);
  d1::Device device = rig.open();
  d1::Stream stream = device.stream();
  auto buffer = device.hbm<int>(1000);
  const std::vector<int> values(1000, 7);
  rig.on(d1::hil::command(2, D1_COMMAND_COPY), [&] { rig.kill(); });
  const auto start = std::chrono::steady_clock::now();
  try {
    for (int i = 0; i < 10; ++i) stream.copy_in(buffer, values).wait(10s);
    FAIL() << "nothing was lost";
  } catch (const d1::Exception& problem) {
    EXPECT_EQ(problem.kind(), d1::ErrorKind::DeviceLost) << problem.what();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}
