// SPDX-License-Identifier: Apache-2.0
// Host memory the device can reach: the DMA map, and buffers that are made for it.
//
// Ownership: DmaMap owns the I/O address space of one transport; DmaMapping and DmaBuffer are
// handles that undo themselves and must not outlive it. When an unmap fails (the device is gone and
// cannot promise to keep its hands off), a buffer's memory is retired: kept until the DmaMap dies,
// never reused. Threads: everything here may be used from any thread. Nothing here waits.
#pragma once

#include <d1/driver/transport.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace d1::driver {

class DmaMap;

// One entry of the map. Unmaps when it dies.
class DmaMapping {
 public:
  DmaMapping() = default;
  DmaMapping(DmaMapping&& other) noexcept { swap(other); }
  DmaMapping& operator=(DmaMapping&& other) noexcept {
    DmaMapping(std::move(other)).swap(*this);
    return *this;
  }
  ~DmaMapping() { (void)unmap(); }

  // I/O address of the first byte that was asked for.
  [[nodiscard]] std::uint64_t iova() const noexcept { return iova_ + lead_; }
  [[nodiscard]] bool mapped() const noexcept { return map_ != nullptr; }
  [[nodiscard]] Result<> unmap();

 private:
  friend class DmaMap;
  void swap(DmaMapping& other) noexcept {
    std::swap(map_, other.map_);
    std::swap(iova_, other.iova_);
    std::swap(bytes_, other.bytes_);
    std::swap(lead_, other.lead_);
  }

  DmaMap* map_ = nullptr;
  std::uint64_t iova_ = 0, bytes_ = 0;
  std::uint64_t lead_ = 0;  // bytes before the asked-for address, because of the alignment
};

enum class Warmth : std::uint8_t { OnDemand, PreFaulted };

// Page-aligned host memory, mapped for reading and writing as long as it lives. Zeroed.
class DmaBuffer {
 public:
  DmaBuffer() = default;
  DmaBuffer(DmaBuffer&& other) noexcept { swap(other); }
  DmaBuffer& operator=(DmaBuffer&& other) noexcept {
    DmaBuffer(std::move(other)).swap(*this);
    return *this;
  }
  ~DmaBuffer();

  [[nodiscard]] std::byte* data() const noexcept {
    return static_cast<std::byte*>(memory_.pointer);
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t iova() const noexcept { return mapping_.iova(); }

 private:
  friend class DmaMap;
  void swap(DmaBuffer& other) noexcept {
    std::swap(map_, other.map_);
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapping_, other.mapping_);
  }

  DmaMap* map_ = nullptr;
  DmaMemory memory_;         // bytes of the mapping, a multiple of the page
  std::uint64_t bytes_ = 0;  // asked for
  DmaMapping mapping_;
};

class DmaMap {
 public:
  explicit DmaMap(Transport& transport);
  DmaMap(const DmaMap&) = delete;
  DmaMap& operator=(const DmaMap&) = delete;
  ~DmaMap();

  // Maps memory of the caller, which stays valid until the mapping is gone. Where the transport
  // needs alignment, the whole pages around it are mapped.
  [[nodiscard]] Result<DmaMapping> map(const void* pointer, std::uint64_t bytes, DmaAccess access);
  [[nodiscard]] Result<DmaBuffer> allocate(std::uint64_t bytes, Warmth warmth = Warmth::PreFaulted);

  // The I/O address of memory inside a live DmaBuffer; 0 if it is not wholly inside one.
  [[nodiscard]] std::uint64_t find(const void* pointer, std::uint64_t bytes) const;
  // Whether plain memory can be mapped at all, or must be staged.
  [[nodiscard]] bool maps_plain_memory() const noexcept { return !requirements_.needs_file; }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::uint64_t retired_bytes() const;

 private:
  friend class DmaMapping;
  friend class DmaBuffer;
  [[nodiscard]] Result<std::uint64_t> reserve(std::uint64_t bytes);
  [[nodiscard]] Result<DmaMapping> insert(const DmaMemory& memory, DmaAccess access,
                                          std::uint64_t lead);
  [[nodiscard]] Result<> remove(std::uint64_t iova, std::uint64_t bytes);
  void release(const DmaMemory& memory, bool retire);

  Transport& transport_;
  const DmaRequirements requirements_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> ranges_;  // I/O address -> bytes, in use
  std::map<std::uintptr_t, std::pair<std::uint64_t, std::uint64_t>> buffers_;  // -> bytes, iova
  std::uint64_t cursor_ = limits::kFirstIova;
  std::vector<DmaMemory> retired_;
};

}  // namespace d1::driver
