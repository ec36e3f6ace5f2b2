// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/code_cache.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace d1::emulator {

// Shared memory without a file has no name for perf, which then looks code up in its map of the
// process (perf_map.hpp); it would look for that of a memfd in the file. A part of length 0 of such
// memory, moved, is a second mapping of the whole.
CodeCache::CodeCache(std::size_t bytes) : bytes_(bytes) {
  void* const write = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (write == MAP_FAILED) throw std::bad_alloc();
  void* const execute = mremap(write, 0, bytes, MREMAP_MAYMOVE);
  if (execute == MAP_FAILED || mprotect(execute, bytes, PROT_READ | PROT_EXEC) != 0) {
    if (execute != MAP_FAILED) munmap(execute, bytes);
    munmap(write, bytes);
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
