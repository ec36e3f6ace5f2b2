// SPDX-License-Identifier: Apache-2.0
#include "held_packets.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include <d1/abi/memory_map.h>

#include "mix.hpp"

namespace d1::emulator {

namespace {

bool is_put(const Packet& packet) {
  return packet.kind == PacketKind::Transfer && packet.transfer.kind != D1_TRANSFER_GET;
}

// Whether the later of two packets must not pass the earlier one. Memory behind interface
// processors counts as one destination: nothing is promised there, but nobody gains by losing it.
bool ordered(const Packet& earlier, const Packet& later) {
  if (earlier.source != later.source || !is_put(earlier) || !is_put(later)) return false;
  const auto multicast = [](const Packet& p) { return p.transfer.kind == D1_TRANSFER_MULTICAST; };
  if (multicast(earlier) || multicast(later)) return true;
  const auto hbm = [](const Packet& p) {
    return d1_address_kind(p.transfer.remote) == D1_ADDRESS_HBM;
  };
  if (hbm(earlier) || hbm(later)) return hbm(earlier) && hbm(later);
  return earlier.destination == later.destination;
}

}  // namespace

HeldPackets::Entry* HeldPackets::take(const Packet& packet, std::uint64_t launch,
                                      std::uint64_t seed) {
  if (seed == 0 || (packet.kind != PacketKind::Transfer && packet.kind != PacketKind::Post))
    return nullptr;
  const std::uint64_t draw =
      mix(seed ^ mix((std::uint64_t{packet.source} << 32 | packet.sequence) + 1));
  // Half of them go on at once, the others wait for one to kMostCommits commits.
  std::uint64_t release = draw % 2 == 0 ? 0 : commit_ + 1 + (draw >> 8) % kMostCommits;
  for (const Entry& entry : held_)
    if (ordered(entry.packet, packet)) release = std::max(release, entry.release);
  if (release == 0) return nullptr;
  const bool left = is_put(packet) && packet.transfer.kind == D1_TRANSFER_PUT && (draw >> 4) % 2;
  held_.push_back({packet, launch, release, left});
  return &held_.back();
}

std::vector<HeldPackets::Entry> HeldPackets::release() {
  ++commit_;
  std::vector<Entry> due;
  const auto waits = [this](const Entry& entry) { return entry.release > commit_; };
  std::ranges::copy_if(held_, std::back_inserter(due), std::not_fn(waits));
  std::erase_if(held_, std::not_fn(waits));
  return due;
}

}  // namespace d1::emulator
