// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/code_cache.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace d1::emulator {

CodeCache::CodeCache(std::size_t bytes) : bytes_(bytes) {
  const int file = memfd_create("d1-translated-code", MFD_CLOEXEC);
  if (file < 0) throw std::bad_alloc();
  void* write = MAP_FAILED;
  void* execute = MAP_FAILED;
  if (ftruncate(file, static_cast<off_t>(bytes)) == 0) {
    write = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    execute = mmap(nullptr, bytes, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, file, 0);
  }
  close(file);
  if (write == MAP_FAILED || execute == MAP_FAILED) {
    if (write != MAP_FAILED) munmap(write, bytes);
    if (execute != MAP_FAILED) munmap(execute, bytes);
    throw std::bad_alloc();
  }
  writable_ = static_cast<std::uint8_t*>(write);
  delta_ = static_cast<std::uint8_t*>(execute) - writable_;
}

CodeCache::~CodeCache() {
  munmap(writable_ + delta_, bytes_);
  munmap(writable_, bytes_);
}

void CodeCache::take(std::size_t bytes) noexcept {
  used_ = std::min(bytes_, used_ + (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace d1::emulator
