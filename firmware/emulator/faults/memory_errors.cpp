// SPDX-License-Identifier: Apache-2.0
#include "faults/memory_errors.hpp"

#include <algorithm>
#include <cstring>

namespace d1::emulator {

void MemoryErrors::add(std::uint8_t* at, unsigned bit, bool corrected) {
  if (corrected) {
    corrected_.fetch_add(1);
    return;
  }
  uncorrected_.fetch_add(1);
  *at = static_cast<std::uint8_t>(*at ^ 1u << bit);
  const std::uintptr_t line = reinterpret_cast<std::uintptr_t>(at) / kLineBytes * kLineBytes;
  std::memcpy(lines_[line].data(), reinterpret_cast<const std::uint8_t*>(line), kLineBytes);
}

const std::uint8_t* MemoryErrors::find(const std::uint8_t* begin, std::uint64_t bytes) {
  if (bytes == 0) return nullptr;
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  for (auto line = lines_.lower_bound(first / kLineBytes * kLineBytes);
       line != lines_.end() && line->first < first + bytes;) {
    if (std::memcmp(line->second.data(), reinterpret_cast<const std::uint8_t*>(line->first),
                    kLineBytes) == 0)
      return begin + (std::max(line->first, first) - first);
    line = lines_.erase(line);  // it was written anew
  }
  return nullptr;
}

}  // namespace d1::emulator
