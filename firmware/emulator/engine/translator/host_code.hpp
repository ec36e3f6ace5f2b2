// SPDX-License-Identifier: Apache-2.0
// A piece of host code as profilers and debuggers are told of it. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace d1::emulator {

// Where the caller's frame is.
enum class StackShape : std::uint8_t {
  Inside,  // as `enter` (thunks.hpp) left it: translated code
  Called,  // the return address at the top: functions that translated code calls for itself
  Calling  // the same above eight more bytes: around the call of a semantics function
};

struct HostCode {
  struct Part {
    std::size_t bytes = 0;
    StackShape stack = StackShape::Inside;
  };

  std::string name;
  const std::uint8_t* begin = nullptr;  // where it is executed
  std::vector<Part> parts;              // one behind the other

  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = 0;
    for (const Part& part : parts) sum += part.bytes;
    return sum;
  }
};

}  // namespace d1::emulator
