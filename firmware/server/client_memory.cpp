// SPDX-License-Identifier: Apache-2.0
#include "client_memory.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace d1::server {
namespace {

constexpr std::uint64_t kPage = 4096;

// Mappings of files of clients, for the handler of SIGBUS, which may take no lock. A slot is free
// while its length is 0; `begin` is written first and read last.
struct Guarded {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::size_t> bytes{0};
};
constexpr std::size_t kGuards = 4096;  // own: mappings beyond that are not guarded, only refused
std::array<Guarded, kGuards> guards;
struct sigaction previous_action;

bool guard(void* mapping, std::size_t bytes) {
  for (Guarded& slot : guards) {
    std::uintptr_t none = 0;
    if (!slot.begin.compare_exchange_strong(none, reinterpret_cast<std::uintptr_t>(mapping)))
      continue;
    slot.bytes.store(bytes, std::memory_order_release);
    return true;
  }
  return false;
}

void release(void* mapping) {
  for (Guarded& slot : guards) {
    if (slot.begin.load() != reinterpret_cast<std::uintptr_t>(mapping)) continue;
    slot.bytes.store(0, std::memory_order_release);
    slot.begin.store(0, std::memory_order_release);
    return;
  }
}

// Only what may be called in a signal handler. The page that is missing is put there.
void on_bus_error(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (const Guarded& slot : guards) {
    const std::size_t bytes = slot.bytes.load(std::memory_order_acquire);
    const std::uintptr_t begin = slot.begin.load(std::memory_order_relaxed);
    if (bytes == 0 || address < begin || address - begin >= bytes) continue;
    void* page = reinterpret_cast<void*>(address / kPage * kPage);
    if (::mmap(page, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == MAP_FAILED)
      break;
    std::memset(page, 0xff, kPage);
    return;
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  ::signal(signal, SIG_DFL);  // the access is made again, and ends the process as it should
}

}  // namespace

void guard_against_shrinking() {
  struct sigaction action{};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, &previous_action);
}

ClientMemory::~ClientMemory() {
  for (const auto& [address, range] : ranges_) let_go(address, range);
}

void ClientMemory::let_go(std::uint64_t address, const Range& range) {
  (void)device_.dma_unmap(address, range.bytes);  // it was mapped, so this cannot fail
  if (range.mapping == nullptr) return;
  release(range.mapping);
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

  Range range{request.size, nullptr};
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
    if (!guard(mapping, request.size) ||
        !device_.dma_map(request.address, mapping, request.size, access)) {
      release(mapping);
      ::munmap(mapping, request.size);
      return ENOSPC;
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
