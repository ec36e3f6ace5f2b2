// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/integer_places.hpp"

namespace d1::emulator {

namespace {

// Own: what an exchange has to save, for it costs four accesses whenever the region is entered and
// left.
constexpr std::uint32_t kWorthwhile = 32;

}  // namespace

IntegerPlaces::IntegerPlaces(MemoryBase base) noexcept {
  host_.fill(-1);
  for (const PinnedRegister& each : pinned_registers(base))
    host_[each.guest] = static_cast<std::int8_t>(each.host);
}

void IntegerPlaces::exchange(unsigned guest, unsigned instead) {
  host_[guest] = host_[instead];
  host_[instead] = -1;
  exchanges_.push_back({static_cast<std::uint8_t>(guest), static_cast<std::uint8_t>(instead)});
}

IntegerPlaces choose_integer_places(const std::array<std::uint32_t, 32>& uses, MemoryBase base) {
  IntegerPlaces places(base);
  for (;;) {
    unsigned guest = 0, instead = 0;  // x0 stands for none: nothing lives in its place
    for (unsigned each = 1; each < 32; ++each) {
      const bool pinned = places.host(each) >= 0;
      if (!pinned && (guest == 0 || uses[each] >= uses[guest])) guest = each;
      if (pinned && (instead == 0 || uses[each] < uses[instead])) instead = each;
    }
    if (uses[guest] <= uses[instead] + kWorthwhile) return places;
    places.exchange(guest, instead);
  }
}

}  // namespace d1::emulator
