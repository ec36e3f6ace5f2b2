// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/constant_pool.hpp"

#include <cstring>

namespace d1::emulator {

const void* ConstantPool::place_of(std::span<const std::uint64_t> words) {
  std::uint64_t hash = words.size();
  for (const std::uint64_t word : words) hash = (hash ^ word ^ hash >> 32) * 0x9e3779b97f4a7c15;
  for (auto [each, end] = constants_.equal_range(hash); each != end; ++each)
    if (each->second.bytes == words.size_bytes() &&
        std::memcmp(each->second.place, words.data(), words.size_bytes()) == 0)
      return each->second.place;
  const std::size_t start = (used_ + words.size_bytes() - 1) / words.size_bytes() *
                            words.size_bytes();
  if (start + words.size_bytes() > bytes_) return nullptr;
  used_ = start + words.size_bytes();
  std::memcpy(memory_ + start, words.data(), words.size_bytes());
  constants_.emplace(hash, Constant{memory_ + start, words.size_bytes()});
  return memory_ + start;
}

void ConstantPool::clear() noexcept {
  constants_.clear();
  used_ = 0;
}

}  // namespace d1::emulator
