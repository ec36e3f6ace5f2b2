// SPDX-License-Identifier: Apache-2.0
#include "dip/dma_map.hpp"

#include <fmt/format.h>

namespace d1::emulator {

Result<> DmaMap::map(std::uint64_t address, void* memory, std::uint64_t bytes, DmaAccess access) {
  if (bytes == 0 || memory == nullptr || address + bytes < address)
    return fail(
        ErrorKind::Invalid,
        fmt::format("A DMA range of {} bytes at I/O address {:#x} is empty or wraps around; "
                    "map at least one byte below 2^64.",
                    bytes, address));
  const auto next = ranges_.lower_bound(address);
  const bool hits_next = next != ranges_.end() && next->first < address + bytes;
  const bool hits_previous =
      next != ranges_.begin() &&
      std::prev(next)->first + std::prev(next)->second.bytes > address;
  if (hits_next || hits_previous)
    return fail(ErrorKind::Invalid,
                fmt::format("The DMA range [{:#x}, {:#x}) overlaps one that is mapped; unmap that "
                            "first or choose another I/O address.",
                            address, address + bytes));
  ranges_.emplace(address, Range{bytes, static_cast<std::uint8_t*>(memory),
                                 access == DmaAccess::Write});
  return {};
}

Result<> DmaMap::unmap(std::uint64_t address, std::uint64_t bytes) {
  const auto found = ranges_.find(address);
  if (found == ranges_.end() || found->second.bytes != bytes)
    return fail(ErrorKind::Invalid,
                fmt::format("No DMA range of {} bytes starts at I/O address {:#x}; unmap exactly "
                            "what was mapped.",
                            bytes, address));
  ranges_.erase(found);
  return {};
}

std::uint8_t* DmaMap::find(std::uint64_t address, std::uint64_t bytes,
                           DmaAccess access) const noexcept {
  auto found = ranges_.upper_bound(address);
  if (found == ranges_.begin()) return nullptr;
  --found;
  const Range& range = found->second;
  const std::uint64_t offset = address - found->first;
  if (offset > range.bytes || bytes > range.bytes - offset) return nullptr;
  if (access == DmaAccess::Write && !range.writable) return nullptr;
  return range.memory + offset;
}

}  // namespace d1::emulator
