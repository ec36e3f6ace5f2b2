// SPDX-License-Identifier: Apache-2.0
// Memory errors as the device's ECC sees them: it counts those it corrected, and knows the 64-byte
// lines it could not correct until they are written anew. A line counts as written once its bytes
// differ from what the error left, so whoever writes memory need not say so.
// The counts may be read by any thread; everything else belongs to who holds the device's lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>

namespace d1::emulator {

class MemoryErrors {
 public:
  static constexpr std::uint64_t kLineBytes = 64;

  // An error at bit 0..7 of the byte at `at`, in memory of the machine. Corrected ones change
  // nothing.
  void add(std::uint8_t* at, unsigned bit, bool corrected);
  void forget() noexcept { lines_.clear(); }

  [[nodiscard]] bool any() const noexcept { return !lines_.empty(); }
  // The first of these bytes that is in a line with an uncorrected error, or null.
  [[nodiscard]] const std::uint8_t* find(const std::uint8_t* begin, std::uint64_t bytes);

  [[nodiscard]] std::uint64_t corrected() const noexcept { return corrected_.load(); }
  [[nodiscard]] std::uint64_t uncorrected() const noexcept { return uncorrected_.load(); }

 private:
  std::map<std::uintptr_t, std::array<std::uint8_t, kLineBytes>> lines_;  // by their address
  std::atomic<std::uint64_t> corrected_{0}, uncorrected_{0};
};

}  // namespace d1::emulator
