// SPDX-License-Identifier: Apache-2.0
// What tests of the rig do with a device.
#pragma once

#include <gtest/gtest.h>
#include <d1/hil/rig.hpp>

#include <atomic>
#include <chrono>
#include <numeric>
#include <rig_kernels_program.hpp>
#include <string>
#include <thread>
#include <vector>

namespace d1::hil::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Copies in, adds on all nodes, copies out; the sum of what comes back.
inline long use(Device& device, int what = 5, std::size_t count = 2000) {
  Stream stream = device.stream();
  auto data = device.sharded<int>(count);
  std::vector<int> values(count);
  std::iota(values.begin(), values.end(), 0);
  stream.copy_in(data, values);
  device.load(std::as_bytes(std::span(rig_kernels_program)), "rig_kernels")
      .kernel("add")(stream, device.all(), data, what);
  stream.copy_out(values, data).wait(30s);
  return std::accumulate(values.begin(), values.end(), 0L);
}
inline long expected(int what = 5, long count = 2000) {
  return count * (count - 1) / 2 + count * what;
}

template <typename What>
ErrorKind error_of(What&& what) {
  try {
    what();
  } catch (const Exception& problem) {
    return problem.kind();
  }
  ADD_FAILURE() << "it did not fail";
  return ErrorKind::Internal;
}

}  // namespace d1::hil::test
