// SPDX-License-Identifier: Apache-2.0
#include "rig/shared_memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace d1::hil {

Result<SharedMemory> SharedMemory::make(std::uint64_t bytes) {
  SharedMemory made;
  const int file = ::memfd_create("d1-hil", MFD_CLOEXEC);
  void* pointer = MAP_FAILED;
  if (file >= 0 && ::ftruncate(file, static_cast<off_t>(bytes)) == 0)
    pointer = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (pointer == MAP_FAILED) {
    const std::string reason = std::generic_category().message(errno);
    if (file >= 0) ::close(file);
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host gives no {} bytes of shared memory: {}.", bytes, reason));
  }
  made.memory_ = {pointer, bytes, file, 0};
  return made;
}

SharedMemory::~SharedMemory() {
  if (memory_.pointer == nullptr) return;
  ::munmap(memory_.pointer, memory_.bytes);
  ::close(memory_.file_descriptor);
}

}  // namespace d1::hil
