// SPDX-License-Identifier: Apache-2.0
// BAR0 as memory that other processes may map: doorbells and the live page (d1/abi/registers.h).
// Owns the memory. Each word is an atomic; any thread.
#pragma once

#include <d1/abi/registers.h>

#include <atomic>
#include <cstdint>

#include "reservation.hpp"

namespace d1::emulator {

class LivePage {
 public:
  explicit LivePage(Sharing sharing) : bar_(D1_BAR0_BYTES, sharing) {}

  // The word at `offset` of the live page, an enum d1_register that is told there.
  [[nodiscard]] std::atomic<std::uint64_t>& at(std::uint32_t offset) const noexcept {
    return *reinterpret_cast<std::atomic<std::uint64_t>*>(bar_.data() + D1_REG_LIVE_BASE + offset);
  }
  [[nodiscard]] const Reservation& bar() const noexcept { return bar_; }

 private:
  Reservation bar_;
};

static_assert(sizeof(std::atomic<std::uint64_t>) == 8);

}  // namespace d1::emulator
