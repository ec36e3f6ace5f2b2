// SPDX-License-Identifier: Apache-2.0
// A device of the default machine and programs compiled from source text.
#pragma once

#include <gtest/gtest.h>
#include <d1/d1.hpp>

#include <compiled.hpp>
#include <numeric>
#include <string>
#include <vector>

namespace d1 {

class OnDevice : public ::testing::Test {
 protected:
  Program program(const std::string& text) {
    return device.load(std::span<const std::byte>(runtime::compiled(text)), "test.cpp");
  }
  // The error an operation ends with.
  static Error error_of(const Launch& launch, nanoseconds timeout = std::chrono::seconds(60)) {
    try {
      launch.wait(timeout);
    } catch (const Exception& problem) {
      return problem.error();
    }
    ADD_FAILURE() << "it did not fail";
    return Error(ErrorKind::Internal, "none");
  }
  // A buffer of each placement.
  std::vector<Buffer<int>> one_of_each(std::size_t count) {
    std::vector<Buffer<int>> buffers;
    buffers.push_back(device.sharded<int>(count));
    buffers.push_back(device.replicated<int>(count));
    buffers.push_back(device.hbm<int>(count));
    buffers.push_back(device.on_node<int>(count, 17));
    return buffers;
  }
  template <typename T>
  static std::vector<T> numbers(std::size_t count) {
    std::vector<T> values(count);
    std::iota(values.begin(), values.end(), T{1});
    return values;
  }
  static void expect_part(const Error& error, const std::string& part) {
    EXPECT_NE(error.sentence().find(part), std::string::npos) << error.sentence();
  }

  Device device = Device::open();
};

}  // namespace d1
