// SPDX-License-Identifier: Apache-2.0
#include "reservation.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

namespace d1::emulator {

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
  constexpr std::uintptr_t kHuge = std::uintptr_t{2} << 20;
  const auto end = reinterpret_cast<std::uintptr_t>(data_) + bytes_;
  const auto from = (reinterpret_cast<std::uintptr_t>(data_) + offset + kHuge - 1) / kHuge * kHuge;
  // A wish: where it is not heard all works as well, only slower.
  if (from < end) madvise(reinterpret_cast<void*>(from), end - from, MADV_HUGEPAGE);
}

void Reservation::discard(std::size_t offset, std::size_t bytes) noexcept {
  madvise(data_ + offset, bytes, MADV_DONTNEED);
}

}  // namespace d1::emulator
