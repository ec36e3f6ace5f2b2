// SPDX-License-Identifier: Apache-2.0
// Interrupts of one function: MSI-X vectors, and VFIO's own two, ERR (the device failed) and REQ
// (its owner wants it back). Raising one writes the eventfd its user gave; a masked one stays
// pending until it is unmasked.
//
// Ownership: eventfds given to it are its own. Threads: any; raise() is called with the device's
// lock held and takes one of its own for a write that never waits.
#pragma once

#include <d1/abi/registers.h>
#include <d1/vfio_user/message_socket.hpp>
#include <linux/vfio.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

namespace d1::server {

class Interrupts {
 public:
  // By VFIO's index; 0 where the function has none of the kind.
  [[nodiscard]] static std::uint32_t count(std::uint32_t index) noexcept;

  // Carries SET_IRQS out; the result is an errno, 0 for success. Nothing is changed by a failure.
  [[nodiscard]] int set(const vfio_irq_set& request, std::span<const std::byte> data,
                        std::vector<vfio_user::Descriptor> descriptors);

  void raise(std::uint32_t index, std::uint32_t vector);
  // The user is gone: no eventfds, nothing masked, nothing pending.
  void release();
  // Bit v: vector v of MSI-X waits to be unmasked.
  [[nodiscard]] std::uint64_t pending() const;

 private:
  struct Line {
    vfio_user::Descriptor trigger, mask, unmask;
    bool masked = false;
    bool pending = false;
  };
  [[nodiscard]] Line* lines(std::uint32_t index) noexcept;
  static void signal(const vfio_user::Descriptor& event) noexcept;
  static void act(Line& line, std::uint32_t action);

  mutable std::mutex mutex_;
  std::array<Line, D1_MSIX_VECTORS> msix_;
  std::array<Line, 1> error_, request_;
};

}  // namespace d1::server
