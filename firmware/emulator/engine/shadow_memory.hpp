// SPDX-License-Identifier: Apache-2.0
// A copy of a hart's memory window that is cheap to renew and to compare, however large and sparse
// the window is: only pages that the host holds are looked at. Not thread-safe.
#pragma once

#include <optional>
#include <vector>

#include <d1/isa/hart.hpp>

#include "reservation.hpp"

namespace d1::emulator {

class ShadowMemory {
 public:
  // Makes the copy equal to the window.
  void renew(const isa::MemoryWindow& window);
  // Host address of the copy of the window's first byte. Valid until a larger window is copied.
  [[nodiscard]] std::uint8_t* data() const noexcept { return memory_.data() + before_; }
  // Guest address of the first byte that differs; the window is the one last copied.
  [[nodiscard]] std::optional<std::uint64_t> first_difference(const isa::MemoryWindow& window);

 private:
  void look_at(const isa::MemoryWindow& window);
  // Calls visit(offset in the window, bytes, held here, held in the window) for each page that one
  // of the two holds, until it returns false.
  template <typename Visit>
  void each_page(const isa::MemoryWindow& window, Visit&& visit) const;

  Reservation memory_;
  std::uint64_t before_ = 0;  // bytes of the first page that lie before the window
  std::vector<unsigned char> window_pages_, own_pages_;  // of mincore: bit 0 for pages held
};

}  // namespace d1::emulator
