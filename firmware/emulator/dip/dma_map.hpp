// SPDX-License-Identifier: Apache-2.0
// The DMA map: which I/O addresses reach which host memory. Filled by the driver; the device reads
// and writes nothing outside it. Guarded by the device's lock.
//
// Memory that only its owner can touch (RemoteMemory) is worked on in a copy: found for reading,
// the bytes are fetched; found for writing, they are sent at the next flush(), in that order.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <d1/base/error.hpp>
#include <d1/emulator/device.hpp>

#include "reservation.hpp"

namespace d1::emulator {

class DmaMap {
 public:
  // Ranges must not overlap, wrap, or be empty.
  Result<> map(std::uint64_t address, void* memory, std::uint64_t bytes, DmaAccess access);
  Result<> map(std::uint64_t address, RemoteMemory& memory, std::uint64_t bytes, DmaAccess access);
  // Exactly a range that was mapped.
  Result<> unmap(std::uint64_t address, std::uint64_t bytes);
  // Host memory of [address, + bytes), or null unless all of it lies in one mapped range that
  // allows the access.
  [[nodiscard]] std::uint8_t* find(std::uint64_t address, std::uint64_t bytes,
                                   DmaAccess access) noexcept;
  // Remote memory has what was written to it since the last time.
  void flush() noexcept;

 private:
  struct Range {
    std::uint64_t bytes;
    std::uint8_t* memory;
    bool writable;
    RemoteMemory* remote = nullptr;
    Reservation copy;  // of remote memory, as far as it is in use
  };
  struct Write {
    std::uint64_t address, bytes;
  };
  Result<> insert(std::uint64_t address, Range range);

  std::map<std::uint64_t, Range> ranges_;  // by first address
  std::vector<Write> writes_;              // to remote memory, not yet sent
};

}  // namespace d1::emulator
