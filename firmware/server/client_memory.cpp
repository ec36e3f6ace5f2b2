// SPDX-License-Identifier: Apache-2.0
#include "client_memory.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <iterator>

namespace d1::server {
namespace {

constexpr std::uint64_t kPage = 4096;

}  // namespace

ClientMemory::~ClientMemory() {
  for (const auto& [address, range] : ranges_) let_go(address, range);
}

void ClientMemory::let_go(std::uint64_t address, const Range& range) {
  (void)device_.dma_unmap(address, range.bytes);  // it was mapped, so this cannot fail
  if (range.mapping == nullptr) return;
  guard_.remove(range.guarded);
  ::munmap(range.mapping, range.bytes);
}

int ClientMemory::map(const d1_vfio_user_dma_map& request, int file) {
  const bool writable = (request.flags & D1_VFIO_USER_DMA_WRITABLE) != 0;
  if ((request.flags & ~(D1_VFIO_USER_DMA_READABLE | D1_VFIO_USER_DMA_WRITABLE)) != 0 ||
      request.flags == 0 || request.size == 0 || request.address + request.size < request.address ||
      request.address % kPage != 0 || request.size % kPage != 0)
    return EINVAL;
  if (ranges_.size() >= D1_VFIO_USER_DEFAULT_MAPS) return ENOSPC;
  const auto access = writable ? emulator::DmaAccess::Write : emulator::DmaAccess::Read;
  const auto next = ranges_.lower_bound(request.address);
  if ((next != ranges_.end() && next->first - request.address < request.size) ||
      (next != ranges_.begin() &&
       request.address - std::prev(next)->first < std::prev(next)->second.bytes))
    return EEXIST;

  Range range{request.size, nullptr, 0};
  if (file < 0) {
    if (request.offset != 0) return EINVAL;
    if (!device_.dma_map(request.address, remote_, request.size, access)) return ENOMEM;
  } else {
    struct stat what{};
    if (::fstat(file, &what) != 0) return errno;
    const auto size = static_cast<std::uint64_t>(what.st_size);
    if (request.offset % kPage != 0 || request.offset > size ||
        request.size > size - request.offset)
      return EINVAL;
    void* mapping = ::mmap(nullptr, request.size, PROT_READ | (writable ? PROT_WRITE : 0),
                           MAP_SHARED, file, static_cast<off_t>(request.offset));
    if (mapping == MAP_FAILED) return errno;
    range.mapping = mapping;
    range.guarded = guard_.add(mapping, request.size);
    if (!device_.dma_map(request.address, mapping, request.size, access)) {
      guard_.remove(range.guarded);
      ::munmap(mapping, request.size);
      return ENOMEM;
    }
  }
  ranges_.emplace(request.address, range);
  bytes_ += request.size;
  return 0;
}

int ClientMemory::unmap(std::uint64_t address, std::uint64_t bytes) {
  const auto found = ranges_.find(address);
  if (found == ranges_.end() || found->second.bytes != bytes) return ENOENT;
  let_go(address, found->second);
  bytes_ -= bytes;
  ranges_.erase(found);
  return 0;
}

}  // namespace d1::server
