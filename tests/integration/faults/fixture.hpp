// SPDX-License-Identifier: Apache-2.0
// A device of two dies with faults, in this process or the one that D1_DEVICE names, and kernels.
#pragma once

#include <gtest/gtest.h>
#include <fmt/format.h>
#include <d1/d1.hpp>

#include <chrono>
#include <compiled.hpp>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

namespace d1 {

using namespace std::chrono_literals;

class Faults : public ::testing::Test {
 protected:
  static constexpr const char* kKernels = R"(
#include <d1/kernel.hpp>
D1_KERNEL void add(d1::sharded<int> data, int what) {
  for (int& value : data.part_of_hart()) value += what;
}
D1_KERNEL void spin(unsigned rounds) { for (volatile unsigned i = 0; i < rounds; i = i + 1) {} }
// Each node's part goes to the next one, row by row.
alignas(64) int outbox[256], inbox[256];
D1_KERNEL void ring(d1::sharded<int> out) {
  using arrived = d1::semaphore<1>;
  if (d1::hart() != 0) return;
  for (int i = 0; i < 256; ++i) outbox[i] = static_cast<int>(d1::rank() * 1000 + i);
  const std::uint32_t next = (d1::rank() + 1) % d1::nodes();
  d1::put(std::span<const int>(outbox), d1::global_ptr<int>::at(next, inbox),
          {.far = d1::semaphore_of<arrived>()}).wait();
  arrived::wait();
  auto part = out.local();
  for (std::size_t i = 0; i < part.size() && i < 256; ++i) part[i] = inbox[i];
}
D1_KERNEL void read_hbm(d1::hbm<const int> from, d1::sharded<int> out) {
  if (d1::hart() == 0) out.local()[0] = int(from[0]);
}
)";

  static Device open() {
    DeviceOptions options;
    options.machine = D1_TEST_MACHINE;
    return Device::open(options);
  }
  static bool in_process() { return std::getenv("D1_DEVICE") == nullptr; }
  ~Faults() override {
    try {
      device.clear_faults();
    } catch (const Exception&) {  // it was removed
    }
  }

  Kernel kernel(const char* name) { return program.kernel(name); }
  Launch launch(const char* name, const Grid& grid, nanoseconds timeout, auto&&... arguments) {
    LaunchOptions options;
    options.timeout = timeout;
    return kernel(name).launch(stream, grid, options, arguments...);
  }
  // Ends well, and did what it should.
  void expect_works(const Grid& grid) {
    auto data = device.sharded<int>(grid.nodes() * 4, grid);
    std::vector<int> values(grid.nodes() * 4);
    std::iota(values.begin(), values.end(), 0);
    stream.copy_in(data, values);
    kernel("add")(stream, grid, data, 5);
    std::vector<int> result(values.size());
    stream.copy_out(result, data).wait();
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(result[i], values[i] + 5);
  }
  // What ring() leaves: 256 numbers of the node before, on each.
  std::vector<int> ring(const Grid& grid, std::uint64_t* cycles = nullptr) {
    auto out = device.sharded<int>(grid.nodes() * 256, grid);
    const Launch running = launch("ring", grid, 500ms, out);
    running.wait();
    if (cycles != nullptr) *cycles = running.cycles();
    std::vector<int> result(grid.nodes() * 256);
    stream.copy_out(result, out).wait();
    return result;
  }
  static std::vector<int> ring_expected(std::size_t nodes) {
    std::vector<int> expected;
    for (std::size_t rank = 0; rank < nodes; ++rank)
      for (std::size_t i = 0; i < 256; ++i)
        expected.push_back(static_cast<int>((rank + nodes - 1) % nodes * 1000 + i));
    return expected;
  }
  template <typename What>
  static Error error_of(What&& what) {
    try {
      what();
    } catch (const Exception& problem) {
      return problem.error();
    }
    ADD_FAILURE() << "it did not fail";
    return Error(ErrorKind::Internal, "none");
  }
  static void expect_error(const Error& error, ErrorKind kind, const std::string& part) {
    EXPECT_EQ(error.kind(), kind) << error.to_string();
    EXPECT_NE(error.sentence().find(part), std::string::npos) << error.sentence();
  }
  // Of the device's own account of its faults.
  void expect_event(const std::string& part) {
    std::string all;
    for (const std::string& event : device.fault_events()) {
      all += event + "\n";
      if (event.find(part) != std::string::npos) return;
    }
    ADD_FAILURE() << "no event says '" << part << "':\n" << all;
  }

  Device device = open();
  Program program = device.load(std::span<const std::byte>(runtime::compiled(kKernels)), "faults");
  Stream stream = device.stream();
};

}  // namespace d1
