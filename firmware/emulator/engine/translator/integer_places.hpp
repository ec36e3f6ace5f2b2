// SPDX-License-Identifier: Apache-2.0
// Which integer registers of the guest are in host registers within a region. Pure functions and
// plain data.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/translator/translation.hpp"

namespace d1::emulator {

// Where the guest's integer registers are in a region. At its entry and wherever it is left they
// are where pinned_registers() says; within, loops may have others in the host's registers.
class IntegerPlaces {
 public:
  explicit IntegerPlaces(MemoryBase base) noexcept;

  [[nodiscard]] int host(unsigned guest) const noexcept { return host_[guest]; }  // -1: in memory
  // In the place of `instead`, which is pinned, host registers hold `guest`.
  struct Exchange {
    std::uint8_t guest, instead;
  };
  void exchange(unsigned guest, unsigned instead);
  [[nodiscard]] const std::vector<Exchange>& exchanges() const noexcept { return exchanges_; }

 private:
  std::array<std::int8_t, 32> host_;
  std::vector<Exchange> exchanges_;
};

// Exchanges those that the region uses much more often than some of pinned_registers().
[[nodiscard]] IntegerPlaces choose_integer_places(const std::array<std::uint32_t, 32>& uses,
                                                  MemoryBase base);

}  // namespace d1::emulator
