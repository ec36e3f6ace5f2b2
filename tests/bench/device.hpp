// SPDX-License-Identifier: Apache-2.0
// Devices as the benchmarks open them: in process, whatever the environment says, else by default.
#pragma once

#include <d1/d1.hpp>

#include <string>

namespace d1::bench {

// Host threads that run nodes; 0: as many as the host has.
inline unsigned host_threads = 0;

[[nodiscard]] inline Device open_device(const std::string& machine,
                                        unsigned threads = host_threads) {
  DeviceOptions options;
  options.transport = "in-process";
  options.machine = machine;
  options.threads = threads;
  return Device::open(options);
}

}  // namespace d1::bench
