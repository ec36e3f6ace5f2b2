// SPDX-License-Identifier: Apache-2.0
#include "reservation.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

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

bool is_dense(std::uintptr_t huge_page) noexcept {
  std::array<unsigned char, kHuge / kPage> present;
  if (mincore(reinterpret_cast<void*>(huge_page), kHuge, present.data()) != 0) return false;
  const auto used = std::ranges::count_if(present, [](unsigned char page) { return page & 1; });
  return kDense * static_cast<std::size_t>(used) >= present.size();
}

// A wish, too. Where there are huge pages already nothing happens. Each call waits for all
// processors, so neighbours go together.
void collapse(std::uintptr_t from, std::uintptr_t to) noexcept {
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_COLLAPSE);
}

// Sealed: who maps it can rely on its size.
int memory_file(std::size_t bytes) {
  const int file = memfd_create("d1-device-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) throw std::bad_alloc();
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0 ||
      fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    close(file);
    throw std::bad_alloc();
  }
  return file;
}

}  // namespace

Reservation::Reservation(std::size_t bytes, Sharing sharing) : bytes_(bytes) {
  if (bytes == 0) return;
  const bool shared = sharing == Sharing::Shared;
  if (shared) file_ = memory_file(bytes);
  const int flags = shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, file_, 0);
  if (pages == MAP_FAILED) {
    if (shared) close(file_);
    throw std::bad_alloc();
  }
  data_ = static_cast<std::uint8_t*>(pages);
}

Reservation::~Reservation() {
  if (data_ != nullptr) munmap(data_, bytes_);
  if (file_ >= 0) close(file_);
}

Reservation::Reservation(Reservation&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      file_(std::exchange(other.file_, -1)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(file_, other.file_);
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
  const std::uintptr_t begin = next_huge_page(data_) + first * kHuge,
                       end = next_huge_page(data_) + std::min(huge_pages(), first + count) * kHuge;
  std::uintptr_t dense = begin;  // from there on
  for (std::uintptr_t at = begin; at < end; at += kHuge) {
    if (is_dense(at)) continue;
    collapse(dense, at);
    dense = at + kHuge;
  }
  collapse(dense, end);
}

void Reservation::discard(std::size_t offset, std::size_t bytes) noexcept {
  // A file's pages stay when one mapping of them goes: they are taken out of the file.
  madvise(data_ + offset, bytes, file_ >= 0 ? MADV_REMOVE : MADV_DONTNEED);
}

}  // namespace d1::emulator
