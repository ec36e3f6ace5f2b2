// SPDX-License-Identifier: Apache-2.0
// The configuration space of the function: what a PCI bus driver reads and writes to find it, to
// place its BARs and to learn its capabilities (PCI Express, MSI-X, power management).
// One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace d1::server {

class PciConfig {
 public:
  static constexpr std::size_t kBytes = 4096;

  struct Bars {
    std::uint64_t bar0, bar2, bar4;  // bytes, powers of two; all are 64 bits wide
  };
  explicit PciConfig(const Bars& bars);

  // Both within kBytes; `what` of a write says whether it asks for a function level reset.
  void read(std::uint32_t offset, std::span<std::uint8_t> data) const;
  enum class Asked : std::uint8_t { Nothing, Reset };
  [[nodiscard]] Asked write(std::uint32_t offset, std::span<const std::uint8_t> data);
  void reset();  // to what it was at power-on

 private:
  using Space = std::array<std::uint8_t, kBytes>;
  void set(std::uint32_t offset, unsigned bytes, std::uint64_t value, std::uint64_t writable = 0);
  void add_bar(unsigned index, std::uint64_t bytes, bool prefetchable);

  Space values_{}, writable_{}, initial_{};
};

}  // namespace d1::server
