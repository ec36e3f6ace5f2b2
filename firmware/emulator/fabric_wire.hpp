// SPDX-License-Identifier: Apache-2.0
// What the fabric's files know of messages on the wire: their size, and times in ticks and cycles.
#pragma once

#include <cstdint>

#include <d1/isa/hart.hpp>

#include "packet.hpp"

namespace d1::emulator::wire {

inline constexpr std::uint64_t kTicks = isa::kTicksPerCycle;
inline constexpr std::uint64_t kPacketBytes = 64;
inline constexpr std::uint32_t kCommandDip = 0;  // the DIP that holds the queues
inline constexpr std::uint64_t kCommandBytes = 64;

[[nodiscard]] inline std::uint64_t to_cycle(std::uint64_t ticks) {
  return (ticks + kTicks - 1) / kTicks;
}

// What a transfer puts on the network: every row starts a packet of its own.
[[nodiscard]] inline std::uint64_t wire_bytes(const d1_transfer& transfer) {
  return (transfer.row_bytes + kPacketBytes - 1) / kPacketBytes * kPacketBytes * transfer.rows;
}

// The source may be reused once its port has taken the last packet.
[[nodiscard]] inline std::uint64_t taken_at(const Packet& packet) {
  return packet.departure + wire_bytes(packet.transfer) / kPacketBytes * kTicks;
}

// From the first byte of the first row to the last one of the last.
[[nodiscard]] inline std::uint64_t extent(const d1_transfer& transfer, std::uint64_t pitch) {
  return std::uint64_t{transfer.rows - 1} * pitch + transfer.row_bytes;
}

}  // namespace d1::emulator::wire
