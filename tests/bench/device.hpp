// SPDX-License-Identifier: Apache-2.0
// Devices as the benchmarks open them: in process, whatever the environment says, else by default.
#pragma once

#include <d1/d1.hpp>

#include <string>

namespace d1::bench {

[[nodiscard]] inline Device open_device(const std::string& machine) {
  DeviceOptions options;
  options.transport = "in-process";
  options.machine = machine;
  return Device::open(options);
}

}  // namespace d1::bench
