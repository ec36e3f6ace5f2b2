// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/integer_places.hpp"

#include <algorithm>

namespace d1::emulator {

namespace {

// Own: what an exchange has to save, for it costs four accesses whenever the region is entered and
// left.
constexpr std::uint32_t kWorthwhile = 32;

}  // namespace

IntegerPlaces::IntegerPlaces() noexcept {
  host_.fill(-1);
  for (const PinnedRegister& each : kPinned)
    host_[each.guest] = static_cast<std::int8_t>(each.host);
}

void IntegerPlaces::exchange(unsigned guest, unsigned instead) {
  host_[guest] = host_[instead];
  host_[instead] = -1;
  exchanges_.push_back({static_cast<std::uint8_t>(guest), static_cast<std::uint8_t>(instead)});
}

IntegerPlaces choose_integer_places(const std::array<std::uint32_t, 32>& uses) {
  const auto less_used = [&](unsigned a, unsigned b) { return uses[a] < uses[b]; };
  std::vector<unsigned> pinned, in_memory;
  IntegerPlaces places;
  for (unsigned guest = 1; guest < 32; ++guest)
    (places.host(guest) >= 0 ? pinned : in_memory).push_back(guest);
  std::ranges::stable_sort(pinned, less_used);
  std::ranges::stable_sort(in_memory, less_used);
  for (std::size_t i = 0; i < pinned.size(); ++i) {
    const unsigned guest = in_memory[in_memory.size() - 1 - i], instead = pinned[i];
    if (uses[guest] <= uses[instead] + kWorthwhile) break;
    places.exchange(guest, instead);
  }
  return places;
}

}  // namespace d1::emulator
