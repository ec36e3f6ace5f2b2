// SPDX-License-Identifier: Apache-2.0
#include "engine/shadow_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace d1::emulator {

namespace {

constexpr std::uint64_t kPageBytes = 4096;  // what mincore counts on x86-64

// Pages without memory read as zeroes. Where the host does not tell, all count as held.
void find_held(const std::uint8_t* first, std::size_t bytes, std::vector<unsigned char>& pages) {
  pages.resize((bytes + kPageBytes - 1) / kPageBytes);
  if (mincore(const_cast<std::uint8_t*>(first), bytes, pages.data()) != 0)
    std::ranges::fill(pages, static_cast<unsigned char>(1));
}

}  // namespace

void ShadowMemory::look_at(const isa::MemoryWindow& window) {
  before_ = reinterpret_cast<std::uintptr_t>(window.host) % kPageBytes;
  const std::uint64_t bytes = before_ + window.bytes;
  if (memory_.bytes() < bytes) memory_ = Reservation(bytes);
  find_held(window.host - before_, bytes, window_pages_);
  find_held(memory_.data(), bytes, own_pages_);
}

template <typename Visit>
void ShadowMemory::each_page(const isa::MemoryWindow& window, Visit&& visit) const {
  for (std::size_t page = 0; page < window_pages_.size(); ++page) {
    const bool own = own_pages_[page] & 1, there = window_pages_[page] & 1;
    if (!own && !there) continue;
    const std::uint64_t start = std::max(page * kPageBytes, before_) - before_;
    const std::uint64_t end = std::min((page + 1) * kPageBytes - before_, window.bytes);
    if (!visit(start, end - start, own, there)) return;
  }
}

void ShadowMemory::renew(const isa::MemoryWindow& window) {
  look_at(window);
  each_page(window, [&](std::uint64_t offset, std::uint64_t bytes, bool own, bool there) {
    std::uint8_t* const copy = data() + offset;
    if (!there)
      std::memset(copy, 0, bytes);
    else if (!own || std::memcmp(copy, window.host + offset, bytes) != 0)
      std::memcpy(copy, window.host + offset, bytes);
    return true;
  });
}

std::optional<std::uint64_t> ShadowMemory::first_difference(const isa::MemoryWindow& window) {
  look_at(window);
  std::optional<std::uint64_t> found;
  each_page(window, [&](std::uint64_t offset, std::uint64_t bytes, bool, bool) {
    const std::uint8_t *mine = data() + offset, *theirs = window.host + offset;
    if (std::memcmp(mine, theirs, bytes) == 0) return true;
    const auto at = std::mismatch(mine, mine + bytes, theirs).first;
    found = window.base + offset + static_cast<std::uint64_t>(at - mine);
    return false;
  });
  return found;
}

}  // namespace d1::emulator
