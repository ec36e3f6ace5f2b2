// SPDX-License-Identifier: Apache-2.0
// One tool's use of a device's debug interface (d1/abi/debug.h).
#pragma once

#include <d1/abi/debug.h>
#include <d1/base/error.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace d1::emulator {

class Device;

// Outlives nothing: the device must live as long. One thread at a time; what it halted goes on when
// it ends.
class DebugSession {
 public:
  explicit DebugSession(Device& device) noexcept : device_(device) {}
  ~DebugSession();
  DebugSession(const DebugSession&) = delete;
  DebugSession& operator=(const DebugSession&) = delete;

  struct Answer {
    std::uint64_t cycle = 0;  // emulated time of what it says
    Result<std::vector<std::uint8_t>> data;
  };
  // Waits for the end of the quantum that runs.
  [[nodiscard]] Answer answer(const d1_debug_request& request, std::span<const std::uint8_t> data);

 private:
  Device& device_;
  unsigned halts_ = 0;  // this tool's
};

}  // namespace d1::emulator
