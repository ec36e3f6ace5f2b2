// SPDX-License-Identifier: Apache-2.0
#include "dip/dma_map.hpp"

#include <fmt/format.h>

#include <new>
#include <utility>

namespace d1::emulator {

Result<> DmaMap::map(std::uint64_t address, void* memory, std::uint64_t bytes, DmaAccess access) {
  if (memory == nullptr) bytes = 0;
  return insert(address, {bytes, static_cast<std::uint8_t*>(memory), access == DmaAccess::Write,
                          nullptr, Reservation()});
}

Result<> DmaMap::map(std::uint64_t address, RemoteMemory& memory, std::uint64_t bytes,
                     DmaAccess access) {
  try {
    Reservation copy(bytes);
    std::uint8_t* data = copy.data();
    return insert(address,
                  {bytes, data, access == DmaAccess::Write, &memory, std::move(copy)});
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("There is no address space for a copy of {} bytes of remote memory; "
                            "map less, or share the memory's file.",
                            bytes));
  }
}

Result<> DmaMap::insert(std::uint64_t address, Range range) {
  const std::uint64_t bytes = range.bytes;
  if (bytes == 0 || address + bytes < address)
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
  ranges_.emplace(address, std::move(range));
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
                           DmaAccess access) noexcept {
  auto found = ranges_.upper_bound(address);
  if (found == ranges_.begin()) return nullptr;
  --found;
  Range& range = found->second;
  const std::uint64_t offset = address - found->first;
  if (offset > range.bytes || bytes > range.bytes - offset) return nullptr;
  if (access == DmaAccess::Write && !range.writable) return nullptr;
  std::uint8_t* memory = range.memory + offset;
  if (range.remote == nullptr) return memory;
  if (access == DmaAccess::Write) writes_.push_back({address, bytes});
  else if (!range.remote->read(address, {memory, bytes})) return nullptr;
  return memory;
}

void DmaMap::flush() noexcept {
  for (const Write& write : writes_) {
    auto found = ranges_.upper_bound(write.address);
    if (found == ranges_.begin()) continue;  // unmapped since
    const auto& [first, range] = *--found;
    const std::uint64_t offset = write.address - first;
    if (range.remote == nullptr || offset > range.bytes || write.bytes > range.bytes - offset)
      continue;
    // Whoever does not take it is gone, and with it the reason to write.
    (void)range.remote->write(write.address, {range.memory + offset, write.bytes});
  }
  writes_.clear();
}

}  // namespace d1::emulator
