// SPDX-License-Identifier: Apache-2.0
// A sparse reservation of host address space: costs nothing until a page is touched, reads as
// zeroes. Owns the mapping, and the file behind it where other processes are to map it too.
// Access from any thread; who may touch what is the user's rule.
#pragma once

#include <cstddef>
#include <cstdint>

namespace d1::emulator {

enum class Sharing : std::uint8_t { Private, Shared };  // Shared: a memory file that never shrinks

class Reservation {
 public:
  Reservation() = default;
  // Throws std::bad_alloc; 0 bytes reserve nothing.
  explicit Reservation(std::size_t bytes, Sharing sharing = Sharing::Private);
  ~Reservation();
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;

  [[nodiscard]] std::uint8_t* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] int file() const noexcept { return file_; }  // -1: private
  // From the first boundary of a huge page at or behind `offset` on, pages are to be huge where the
  // host has such: fewer misses of its TLB for what is used densely, and 2 MiB for a byte.
  void prefer_huge_pages(std::size_t offset) noexcept;
  // Huge pages in place of small ones, for those of `count` huge pages from the one at `first` on
  // (a number, counted from the first boundary in the reservation) of which a good part is in use;
  // their content stays. Whoever accesses them meanwhile waits: they are copied.
  void collapse_dense_pages(std::size_t first, std::size_t count) noexcept;
  [[nodiscard]] std::size_t huge_pages() const noexcept;  // that lie in it as a whole
  // Gives pages back; the range reads as zeroes afterwards.
  void discard(std::size_t offset, std::size_t bytes) noexcept;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t bytes_ = 0;
  int file_ = -1;
};

}  // namespace d1::emulator
