// SPDX-License-Identifier: Apache-2.0
#include <d1/driver/dma.hpp>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace d1::driver {
namespace {

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

std::string errno_text(int number) { return std::generic_category().message(number); }

void unmap_memory(const DmaMemory& memory) {
  if (memory.pointer) ::munmap(memory.pointer, memory.bytes);
  if (memory.file_descriptor >= 0) ::close(memory.file_descriptor);
}

// Large buffers start on a huge page: with 4 KiB pages a 64 MiB copy spends a fifth in page walks.
void* map_aligned(std::uint64_t bytes, std::uint64_t alignment, int descriptor) {
  void* const none = MAP_FAILED;
  char* reserved = static_cast<char*>(::mmap(nullptr, bytes + alignment, PROT_NONE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (reserved == none) return none;
  const auto start = round_up(reinterpret_cast<std::uintptr_t>(reserved), alignment);
  char* aligned = reinterpret_cast<char*>(start);
  if (aligned > reserved) ::munmap(reserved, static_cast<std::size_t>(aligned - reserved));
  const auto tail = static_cast<std::size_t>(reserved + bytes + alignment - (aligned + bytes));
  if (tail > 0) ::munmap(aligned + bytes, tail);
  const int flags = MAP_FIXED | (descriptor >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
  void* result = ::mmap(aligned, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0);
  if (result == none) {
    const int error = errno;
    ::munmap(aligned, bytes);
    errno = error;
  }
  return result;
}

Result<DmaMemory> make_memory(std::uint64_t bytes, bool needs_file, Warmth warmth) {
  DmaMemory memory;
  memory.bytes = bytes;
  if (needs_file) {
    memory.file_descriptor = ::memfd_create("d1-dma", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory.file_descriptor < 0 ||
        ::ftruncate(memory.file_descriptor, static_cast<off_t>(bytes)) != 0) {
      const int error = errno;
      unmap_memory(memory);
      return fail(ErrorKind::ResourceExhausted,
                  fmt::format("A shared file of {} bytes for DMA could not be made: {}.", bytes,
                              errno_text(error)));
    }
  }
  const bool large = bytes >= limits::kHugePageBytes;
  const auto alignment = large ? limits::kHugePageBytes : limits::kDmaPageBytes;
  void* pointer = map_aligned(bytes, alignment, memory.file_descriptor);
  if (pointer == MAP_FAILED) {
    const int error = errno;
    unmap_memory(memory);
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("{} bytes of DMA memory could not be mapped: {}; free other buffers or "
                            "raise the limit (ulimit -v).",
                            bytes, errno_text(error)));
  }
  memory.pointer = pointer;
  if (large)
    (void)::madvise(pointer, bytes, MADV_HUGEPAGE);  // advice: refusing it costs speed only
#ifdef MADV_POPULATE_WRITE
  if (warmth == Warmth::PreFaulted && ::madvise(pointer, bytes, MADV_POPULATE_WRITE) != 0 &&
      errno == ENOMEM) {
    unmap_memory(memory);
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host has no {} bytes of memory left for a DMA buffer.", bytes));
  }
#else
  (void)warmth;
#endif
  return memory;
}

}  // namespace

Result<> DmaMapping::unmap() {
  if (!map_) return {};
  DmaMap* map = std::exchange(map_, nullptr);
  return map->remove(iova_, bytes_);
}

DmaBuffer::~DmaBuffer() {
  if (!map_) return;
  const bool retire = !mapping_.unmap();
  map_->release(memory_, retire);
}

DmaMap::DmaMap(Transport& transport)
    : transport_(transport), requirements_(transport.dma_requirements()) {}

DmaMap::~DmaMap() {
  for (const auto& memory : retired_) unmap_memory(memory);
}

Result<std::uint64_t> DmaMap::reserve(std::uint64_t bytes) {
  // mutex_ is held. Next fit: the place after the last one is nearly always free, and an address is
  // reused as late as possible, so that a stale one faults.
  if (ranges_.size() >= limits::kDmaMaps) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The DMA map holds {} entries, its limit; free buffers or wait for "
                            "copies to end.",
                            ranges_.size()));
  }
  // One page stays free between two ranges: a copy that runs over an end faults.
  const std::uint64_t need = round_up(bytes, limits::kDmaPageBytes) + limits::kDmaPageBytes;
  for (int turn = 0; turn < 2; ++turn) {
    std::uint64_t start = turn == 0 ? cursor_ : limits::kFirstIova;
    for (auto next = ranges_.lower_bound(start);; ++next) {
      const std::uint64_t end = next == ranges_.end() ? limits::kLastIova : next->first;
      if (end >= start && end - start >= need) {
        cursor_ = start + need;
        ranges_.emplace(start, bytes);
        return start;
      }
      if (next == ranges_.end()) break;
      start = round_up(next->first + next->second, limits::kDmaPageBytes) + limits::kDmaPageBytes;
    }
  }
  return fail(ErrorKind::ResourceExhausted,
              fmt::format("No free range of {} bytes is left in the I/O address space.", bytes));
}

Result<DmaMapping> DmaMap::insert(const DmaMemory& memory, DmaAccess access, std::uint64_t lead) {
  std::unique_lock lock(mutex_);
  auto iova = reserve(memory.bytes);
  if (!iova) return std::unexpected(std::move(iova.error()));
  lock.unlock();
  auto mapped = transport_.dma_map(*iova, memory, access);
  if (!mapped) {
    lock.lock();
    ranges_.erase(*iova);
    return pass_on(mapped, fmt::format("mapping {} bytes of host memory for DMA", memory.bytes));
  }
  DmaMapping mapping;
  mapping.map_ = this;
  mapping.iova_ = *iova;
  mapping.bytes_ = memory.bytes;
  mapping.lead_ = lead;
  return mapping;
}

Result<> DmaMap::remove(std::uint64_t iova, std::uint64_t bytes) {
  auto unmapped = transport_.dma_unmap(iova, bytes);
  // A range that could not be unmapped stays reserved: the device may still believe in it.
  if (unmapped) {
    std::lock_guard lock(mutex_);
    ranges_.erase(iova);
  }
  return unmapped;
}

void DmaMap::release(const DmaMemory& memory, bool retire) {
  std::lock_guard lock(mutex_);
  buffers_.erase(reinterpret_cast<std::uintptr_t>(memory.pointer));
  if (retire) {
    retired_.push_back(memory);
  } else {
    unmap_memory(memory);
  }
}

Result<DmaMapping> DmaMap::map(const void* pointer, std::uint64_t bytes, DmaAccess access) {
  if (bytes == 0 || pointer == nullptr) {
    return fail(ErrorKind::Invalid,
                fmt::format("{} bytes at address {} cannot be mapped for DMA; give memory of at "
                            "least one byte.",
                            bytes, fmt::ptr(pointer)));
  }
  if (requirements_.needs_file) {
    return fail(ErrorKind::Unsupported,
                "This transport reaches only memory of the driver's own DMA buffers; copy through "
                "one.");
  }
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const auto lead = address % requirements_.alignment;
  DmaMemory memory;
  memory.pointer = reinterpret_cast<void*>(address - lead);
  memory.bytes = round_up(bytes + lead, requirements_.alignment);
  return insert(memory, access, lead);
}

Result<DmaBuffer> DmaMap::allocate(std::uint64_t bytes, Warmth warmth) {
  if (bytes == 0 || bytes > limits::kLastIova / 2) {
    return fail(ErrorKind::Invalid,
                fmt::format("A DMA buffer of {} bytes cannot be made; its size is 1 to {} bytes.",
                            bytes, limits::kLastIova / 2));
  }
  auto memory =
      make_memory(round_up(bytes, limits::kDmaPageBytes), requirements_.needs_file, warmth);
  if (!memory) return std::unexpected(std::move(memory.error()));
  auto mapping = insert(*memory, DmaAccess::DeviceReadsAndWrites, 0);
  if (!mapping) {
    unmap_memory(*memory);
    return std::unexpected(std::move(mapping.error()));
  }
  DmaBuffer buffer;
  buffer.map_ = this;
  buffer.memory_ = *memory;
  buffer.bytes_ = bytes;
  buffer.mapping_ = std::move(*mapping);
  std::lock_guard lock(mutex_);
  buffers_[reinterpret_cast<std::uintptr_t>(memory->pointer)] = {memory->bytes, buffer.iova()};
  return buffer;
}

std::uint64_t DmaMap::find(const void* pointer, std::uint64_t bytes) const {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  std::lock_guard lock(mutex_);
  auto next = buffers_.upper_bound(address);
  if (next == buffers_.begin()) return 0;
  const auto& [start, range] = *--next;
  if (address - start >= range.first || bytes > range.first - (address - start)) return 0;
  return range.second + (address - start);
}

std::size_t DmaMap::size() const {
  std::lock_guard lock(mutex_);
  return ranges_.size();
}

std::uint64_t DmaMap::retired_bytes() const {
  std::lock_guard lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& memory : retired_) total += memory.bytes;
  return total;
}

}  // namespace d1::driver
