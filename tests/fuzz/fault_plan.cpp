// SPDX-License-Identifier: Apache-2.0
// Fault plans, and a small device that is given those that pass for sound.
#include "target.hpp"

#include <d1/abi/registers.h>
#include <d1/emulator/device.hpp>

#include <memory>
#include <string_view>

namespace {

d1::emulator::Device& device() {
  static const std::unique_ptr<d1::emulator::Device> made = [] {
    d1::emulator::DeviceOptions options;
    options.machine = D1_FUZZ_MACHINE;
    options.host_threads = 1;
    auto device = d1::emulator::Device::create(options);
    d1::fuzz::require(device.has_value(), "There is no device.");
    return std::move(*device);
  }();
  return *made;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), bytes);
  const auto plan = d1::emulator::parse_fault_plan(text, "input.toml");
  if (!plan) return 0;
  d1::fuzz::require(!plan->faults.empty(), "A plan without faults passed.");
  if (!device().inject(*plan)) return 0;
  (void)device().run_until_idle([] { return false; });
  device().clear_faults();
  (void)device().run_until_idle([] { return false; });
  d1::fuzz::require(device().read_register(D1_REG_ID) ==
                        (std::uint64_t{D1_ID_MAGIC} << 16 | D1_ABI_VERSION),
                    "The device does not come back.");
  return 0;
}
