// SPDX-License-Identifier: Apache-2.0
#include "reservation.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace d1::emulator {

namespace {

constexpr std::uintptr_t kPage = 4096, kHuge = std::uintptr_t{2} << 20;
constexpr std::size_t kDense = 3;  // own: a third in use is dense, so memory at most trebles

std::uintptr_t next_huge_page(const std::uint8_t* at) noexcept {
  return (reinterpret_cast<std::uintptr_t>(at) + kHuge - 1) / kHuge * kHuge;
}

}  // namespace

Reservation::Reservation(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::uint8_t*>(pages);
}

Reservation::~Reservation() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

Reservation::Reservation(Reservation&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void Reservation::prefer_huge_pages(std::size_t offset) noexcept {
  const auto end = reinterpret_cast<std::uintptr_t>(data_) + bytes_;
  const std::uintptr_t from = next_huge_page(data_ + offset);
  // A wish: where it is not heard all works as well, only slower.
  if (from < end) madvise(reinterpret_cast<void*>(from), end - from, MADV_HUGEPAGE);
}

std::size_t Reservation::huge_pages() const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(data_), from = next_huge_page(data_);
  return begin + bytes_ < from ? 0 : (begin + bytes_ - from) / kHuge;
}

void Reservation::collapse_dense_pages(std::size_t first, std::size_t count) noexcept {
  const std::size_t end = std::min(huge_pages(), first + count);
  for (std::size_t number = first; number < end; ++number) {
    void* const at = reinterpret_cast<void*>(next_huge_page(data_) + number * kHuge);
    std::array<unsigned char, kHuge / kPage> present;
    if (mincore(at, kHuge, present.data()) != 0) return;
    const auto used = std::ranges::count_if(present, [](unsigned char page) { return page & 1; });
    // A wish, too. Where there is a huge page already nothing happens.
    if (kDense * static_cast<std::size_t>(used) >= present.size())
      madvise(at, kHuge, MADV_COLLAPSE);
  }
}

void Reservation::discard(std::size_t offset, std::size_t bytes) noexcept {
  madvise(data_ + offset, bytes, MADV_DONTNEED);
}

}  // namespace d1::emulator
