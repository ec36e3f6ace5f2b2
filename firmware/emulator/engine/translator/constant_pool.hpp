// SPDX-License-Identifier: Apache-2.0
// Constants that host code reads: one copy of each for all code, at the end of the code cache.
// Not thread-safe, as the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

namespace d1::emulator {

class ConstantPool {
 public:
  // In memory that it does not own.
  ConstantPool(std::uint8_t* memory, std::size_t bytes) noexcept
      : memory_(memory), bytes_(bytes) {}

  [[nodiscard]] std::size_t room() const noexcept { return bytes_ - used_; }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  // The place of these words, at a multiple of their size, which is a power of two of at most 64
  // bytes. Null if there is no room.
  [[nodiscard]] const void* place_of(std::span<const std::uint64_t> words);
  void clear() noexcept;

 private:
  struct Constant {
    const std::uint8_t* place;
    std::size_t bytes;
  };

  std::uint8_t* memory_;
  std::size_t bytes_, used_ = 0;
  std::unordered_multimap<std::uint64_t, Constant> constants_;  // by a hash of their words
};

}  // namespace d1::emulator
