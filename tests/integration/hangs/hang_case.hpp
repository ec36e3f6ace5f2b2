// SPDX-License-Identifier: Apache-2.0
// A device with the kernels of kernels/hangs.cpp, for tests of how launches end.
#pragma once

#include <gtest/gtest.h>

#include <d1/d1.hpp>
#include <hang_kernels_program.hpp>

#include <chrono>
#include <optional>

namespace d1 {

class HangCase : public ::testing::Test {
 protected:
  // A daemon's nodes keep what the test before has posted.
  void SetUp() override { device.reset(device.all()); }
  // What a launch ends with, if not well.
  static std::optional<Error> end_of(const Launch& launch) {
    try {
      launch.wait(std::chrono::seconds(300));
      return std::nullopt;
    } catch (const Exception& problem) {
      return problem.error();
    }
  }

  Device device = Device::open();
  Program program = device.load(hang_kernels_program, "hangs.elf");
  Stream stream = device.stream();
};

}  // namespace d1
