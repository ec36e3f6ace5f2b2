// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/integer_places.hpp"

#include <algorithm>

#include "engine/register_use.hpp"

namespace d1::emulator {

namespace {

// Own: how many times a loop's body is thought to run for each time the loop is reached, and what
// an exchange has to save, for it costs four accesses whenever the region is entered and left.
constexpr unsigned kRounds = 16, kWorthwhile = 32;

// How often each integer register is used when the region runs once, about.
std::array<unsigned, 32> integer_uses(const Region& region) {
  std::vector<unsigned> weights(region.blocks.size(), 1);
  for (const Block* back : region.blocks) {
    const Successors after = successors_of(*back);
    if (!after.has_taken || after.call || after.taken > back->start) continue;
    for (std::size_t i = 0; i < weights.size(); ++i)  // loops are contiguous, mostly
      if (region.blocks[i]->start >= after.taken && region.blocks[i]->start <= back->start)
        weights[i] = std::min(weights[i] * kRounds, kRounds * kRounds * kRounds);
  }
  std::array<unsigned, 32> uses{};
  for (std::size_t i = 0; i < region.blocks.size(); ++i) {
    const Block& block = *region.blocks[i];
    for (unsigned n = 0; n < block.count; ++n) {
      const RegisterUse use = register_use(block.operations[n], {});
      for (unsigned r = 0; r < use.read_count; ++r)
        if (use.reads[r].first < 32) uses[use.reads[r].first] += weights[i];
      if (use.write.count != 0 && use.write.first < 32) uses[use.write.first] += weights[i];
    }
  }
  return uses;
}

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

IntegerPlaces choose_integer_places(const Region& region) {
  const std::array<unsigned, 32> uses = integer_uses(region);
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
