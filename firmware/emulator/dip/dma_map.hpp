// SPDX-License-Identifier: Apache-2.0
// The DMA map: which I/O addresses reach which host memory. Filled by the driver; the device reads
// and writes nothing outside it. Guarded by the device's lock.
#pragma once

#include <cstdint>
#include <map>

#include <d1/base/error.hpp>
#include <d1/emulator/device.hpp>

namespace d1::emulator {

class DmaMap {
 public:
  // Ranges must not overlap, wrap, or be empty.
  Result<> map(std::uint64_t address, void* memory, std::uint64_t bytes, DmaAccess access);
  // Exactly a range that was mapped.
  Result<> unmap(std::uint64_t address, std::uint64_t bytes);
  // Host memory of [address, + bytes), or null unless all of it lies in one mapped range that
  // allows the access.
  [[nodiscard]] std::uint8_t* find(std::uint64_t address, std::uint64_t bytes,
                                   DmaAccess access) const noexcept;

 private:
  struct Range {
    std::uint64_t bytes;
    std::uint8_t* memory;
    bool writable;
  };
  std::map<std::uint64_t, Range> ranges_;  // by first address
};

}  // namespace d1::emulator
