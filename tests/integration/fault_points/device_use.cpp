// SPDX-License-Identifier: Apache-2.0
#include "device_use.hpp"

#include <add_one_program.hpp>
#include <algorithm>
#include <chrono>
#include <span>
#include <vector>

namespace d1::test {

using namespace std::chrono_literals;

bool use_device(const std::string& transport) {
  constexpr std::size_t kElements = 64 << 10;  // large enough to be mapped for a copy
  const Device device = Device::open(transport);
  const Kernel kernel = device.load(add_one_program, "add_one").kernel("add_one");
  Stream stream = device.stream();
  const Buffer<std::uint64_t> values = device.sharded<std::uint64_t>(kElements);
  const HostBuffer<std::uint64_t> shared = device.host_buffer<std::uint64_t>(kElements);
  std::ranges::fill(shared.span(), 41);
  std::vector<std::uint64_t> plain(kElements);
  stream.copy_in(values, shared.span()).wait(5s);
  kernel(stream, device.all(), values).wait(5s);
  stream.copy_out(std::span(plain), values).wait(5s);
  stream.synchronize(5s);
  return std::ranges::all_of(plain, [](std::uint64_t value) { return value == 42; });
}

bool is_taken(const Error& error) {
  return error.sentence().find("has a client already") != std::string::npos;
}

}  // namespace d1::test
