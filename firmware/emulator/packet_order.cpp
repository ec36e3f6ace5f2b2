// SPDX-License-Identifier: Apache-2.0
#include "packet_order.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>

#include <d1/isa/hart.hpp>

#include "mix.hpp"

namespace d1::emulator {

namespace {

constexpr unsigned kDigitBits = 8;
constexpr std::uint32_t kDigits = 1u << kDigitBits;
constexpr std::size_t kWorthDigits = 80;  // own: it is slower for 64 packets, and quicker for 96

}  // namespace

void PacketOrder::sort(const std::vector<Outbox>& outboxes, std::uint64_t seed) {
  std::size_t all = 0;
  for (const Outbox& outbox : outboxes) all += outbox.packets.size();
  entries_.clear();
  entries_.reserve(all);
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max(), last = 0;
  for (const Outbox& outbox : outboxes) {
    for (std::size_t i = 0; i < outbox.packets.size(); ++i) {
      const Packet& packet = outbox.packets[i];
      first = std::min(first, packet.departure);
      last = std::max(last, packet.departure);
      entries_.push_back({packet.source * isa::kHartsPerNode + packet.hart, 0, &packet});
    }
  }
  if (seed == 0 && all >= kWorthDigits &&
      last - first <= std::numeric_limits<std::uint32_t>::max()) {
    for (Entry& entry : entries_)
      entry.time = static_cast<std::uint32_t>(entry.packet->departure - first);
    return sort_by_digits();
  }
  const auto key = [seed](const Packet& packet) {
    return std::tuple(packet.departure, seed == 0 ? packet.source : mix(seed ^ packet.source),
                      packet.hart, packet.sequence);
  };
  std::ranges::sort(entries_, [key](const Entry& a, const Entry& b) {
    return key(*a.packet) < key(*b.packet);
  });
}

// The least significant one first, each time leaving equal ones as they were: so the packets of a
// hart stay in the order of their sequence, which is that of its outbox.
void PacketOrder::sort_by_digits() {
  for (const auto key : {&Entry::place, &Entry::time}) {
    std::uint32_t used = 0;  // bits in which any two differ
    for (const Entry& entry : entries_) used |= entry.*key ^ entries_.front().*key;
    for (unsigned shift = 0; shift < 32 && used >> shift != 0; shift += kDigitBits)
      if ((used >> shift & (kDigits - 1)) != 0) sort_by_digit(key, shift);
  }
}

void PacketOrder::sort_by_digit(std::uint32_t Entry::*key, unsigned shift) {
  std::array<std::uint32_t, kDigits> places{};
  const auto digit = [key, shift](const Entry& entry) {
    return entry.*key >> shift & (kDigits - 1);
  };
  for (const Entry& entry : entries_) ++places[digit(entry)];
  std::uint32_t next = 0;
  for (std::uint32_t& place : places) next += std::exchange(place, next);
  sorted_.resize(entries_.size());
  for (const Entry& entry : entries_) sorted_[places[digit(entry)]++] = entry;
  entries_.swap(sorted_);
}

}  // namespace d1::emulator
