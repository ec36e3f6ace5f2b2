// SPDX-License-Identifier: Apache-2.0
// Memory of this process that another one can map, for transports that need a file behind it.
// Owns both; moves. Any thread may use the memory.
#pragma once

#include <d1/driver/transport.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace d1::hil {

class SharedMemory {
 public:
  SharedMemory() = default;
  // Zeroes. No memory or descriptor left: ResourceExhausted.
  [[nodiscard]] static Result<SharedMemory> make(std::uint64_t bytes);
  SharedMemory(SharedMemory&& other) noexcept
      : memory_(std::exchange(other.memory_, driver::DmaMemory{})) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~SharedMemory();

  [[nodiscard]] const driver::DmaMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] std::byte* data() const noexcept {
    return static_cast<std::byte*>(memory_.pointer);
  }

 private:
  driver::DmaMemory memory_;
};

}  // namespace d1::hil
