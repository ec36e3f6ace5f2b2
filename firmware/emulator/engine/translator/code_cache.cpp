// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/code_cache.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace d1::emulator {

namespace {

// Own: code has 32 bytes of constants for each block, about, and many blocks share theirs.
constexpr std::size_t kConstantShare = 8, kLeastConstants = std::size_t{64} << 10;

}  // namespace

// Shared memory without a file has no name for perf, which then looks code up in its map of the
// process (perf_map.hpp); it would look for that of a memfd in the file. A part of length 0 of such
// memory, moved, is a second mapping of the whole.
CodeCache::CodeCache(std::size_t bytes)
    : bytes_((bytes + kAlignment - 1) / kAlignment * kAlignment) {
  const std::size_t constant_bytes = std::max(bytes_ / kConstantShare, kLeastConstants);
  mapped_bytes_ = bytes_ + constant_bytes;
  void* const write = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (write == MAP_FAILED) throw std::bad_alloc();
  void* const execute = mremap(write, 0, mapped_bytes_, MREMAP_MAYMOVE);
  if (execute == MAP_FAILED || mprotect(execute, mapped_bytes_, PROT_READ | PROT_EXEC) != 0) {
    if (execute != MAP_FAILED) munmap(execute, mapped_bytes_);
    munmap(write, mapped_bytes_);
    throw std::bad_alloc();
  }
  writable_ = static_cast<std::uint8_t*>(write);
  delta_ = static_cast<std::uint8_t*>(execute) - writable_;
  constants_ = ConstantPool(writable_ + bytes_, constant_bytes);
}

CodeCache::~CodeCache() {
  munmap(writable_ + delta_, mapped_bytes_);
  munmap(writable_, mapped_bytes_);
}

void CodeCache::drop(std::size_t bytes) noexcept {
  used_ = bytes;
  constants_.clear();
}

void CodeCache::take(std::size_t bytes) noexcept {
  used_ = std::min(bytes_, used_ + (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace d1::emulator
