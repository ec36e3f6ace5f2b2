// SPDX-License-Identifier: Apache-2.0
// The order in which a quantum's packets are carried out: by departure, source, hart, sequence,
// whichever host thread ran the node. One thread at a time; it sorts between quanta, while all
// others wait, so what many nodes send at once is sorted by digits and not by comparing.
#pragma once

#include <cstdint>
#include <vector>

#include "packet.hpp"

namespace d1::emulator {

class PacketOrder {
 public:
  // The packets stay where they are, and must for as long as this is used. A seed permutes nodes
  // that send in the same tick; packets of one node keep their order.
  void sort(const std::vector<Outbox>& outboxes, std::uint64_t seed);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const Packet& operator[](std::size_t index) const {
    return *entries_[index].packet;
  }

 private:
  struct Entry {
    std::uint32_t place;  // source and hart
    std::uint32_t time;   // ticks after the first departure
    const Packet* packet;
  };

  void sort_by_digits();
  void sort_by_digit(std::uint32_t Entry::*key, unsigned shift);

  std::vector<Entry> entries_, sorted_;
};

}  // namespace d1::emulator
