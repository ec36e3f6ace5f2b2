// SPDX-License-Identifier: Apache-2.0
// Memory for host code, mapped twice: writable at one address, executable at another, so that no
// page is ever both. Filled from front to back; dropped as a whole. Behind it, in reach of the
// code, the constants that the code reads.
// Not thread-safe: whoever writes holds the translator's lock. Executing needs none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/translator/constant_pool.hpp"

namespace d1::emulator {

class CodeCache {
 public:
  // Throws std::bad_alloc where the host refuses such memory.
  explicit CodeCache(std::size_t bytes);
  ~CodeCache();
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  // Where the next code is written, and how much fits.
  [[nodiscard]] std::uint8_t* next() const noexcept { return writable_ + used_; }
  [[nodiscard]] std::size_t room() const noexcept { return bytes_ - used_; }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  // Keeps what was written at next().
  void take(std::size_t bytes) noexcept;
  // Drops all but the first `bytes`, and all constants.
  void drop(std::size_t bytes) noexcept;
  [[nodiscard]] ConstantPool& constants() noexcept { return constants_; }

  // The executable address of a writable one, and back.
  [[nodiscard]] const std::uint8_t* executable(const void* writable) const noexcept {
    return static_cast<const std::uint8_t*>(writable) + delta_;
  }
  [[nodiscard]] std::uint8_t* writable(const void* executable) const noexcept {
    return const_cast<std::uint8_t*>(static_cast<const std::uint8_t*>(executable)) - delta_;
  }

 private:
  static constexpr std::size_t kAlignment = 64;

  std::size_t bytes_, mapped_bytes_;
  std::size_t used_ = 0;
  std::uint8_t* writable_ = nullptr;
  std::ptrdiff_t delta_ = 0;
  ConstantPool constants_{nullptr, 0};
};

}  // namespace d1::emulator
