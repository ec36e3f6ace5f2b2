// SPDX-License-Identifier: Apache-2.0
#include "in_band_memory.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

namespace d1::driver {
namespace {

// Whoever looks at the last two bytes, which are a completion's phase, sees what stands before:
// pairs with the acquire of QueuePair::reap_ring().
void write_phase_last(std::byte* to, const std::byte* from, std::size_t bytes) {
  std::uint16_t last;
  if (bytes < sizeof last || reinterpret_cast<std::uintptr_t>(to + bytes) % sizeof last != 0) {
    std::memcpy(to, from, bytes);
    return;
  }
  const std::size_t before = bytes - sizeof last;
  std::memcpy(to, from, before);
  std::memcpy(&last, from + before, sizeof last);
  std::atomic_ref(*reinterpret_cast<std::uint16_t*>(to + before))
      .store(last, std::memory_order_release);
}

}  // namespace

void InBandMemory::add(std::uint64_t iova, void* memory, std::uint64_t bytes) {
  const std::lock_guard guard(mutex_);
  ranges_[iova] = {static_cast<std::byte*>(memory), bytes};
}

bool InBandMemory::remove(std::uint64_t iova) {
  const std::lock_guard guard(mutex_);
  return ranges_.erase(iova) != 0;
}

int InBandMemory::serve(const vfio_user::Message& request, std::vector<std::byte>& reply) {
  const auto access = request.read<d1_vfio_user_dma_access>();
  const bool write = request.header.command == D1_VFIO_USER_DMA_WRITE;
  if (!write && request.header.command != D1_VFIO_USER_DMA_READ) return ENOTSUP;
  if (!access || access->count > D1_VFIO_USER_DEFAULT_TRANSFER ||
      request.payload.size() != sizeof *access + (write ? access->count : 0))
    return EINVAL;
  const std::lock_guard guard(mutex_);  // held while bytes move: who removes memory then frees it
  auto found = ranges_.upper_bound(access->address);
  if (found == ranges_.begin()) return EFAULT;
  const auto& [begin, range] = *--found;
  const std::uint64_t offset = access->address - begin;
  if (offset > range.bytes || access->count > range.bytes - offset) return EFAULT;
  reply.resize(sizeof *access + (write ? 0 : access->count));
  std::memcpy(reply.data(), &*access, sizeof *access);
  if (write)
    write_phase_last(range.memory + offset, request.payload.data() + sizeof *access,
                     access->count);
  else
    std::memcpy(reply.data() + sizeof *access, range.memory + offset, access->count);
  return 0;
}

}  // namespace d1::driver
