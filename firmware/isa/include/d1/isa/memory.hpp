// SPDX-License-Identifier: Apache-2.0
// How instructions reach memory: one compare and one host access in the hart's window, the
// environment for everything else. Little-endian hosts only. Misaligned accesses are allowed.
#pragma once

#include <cstring>

#include <d1/isa/instruction.hpp>

namespace d1::isa {

inline constexpr std::uint64_t kReservationBytes = 64;
inline constexpr std::uint64_t kNoReservation = ~std::uint64_t{0};

// A store by any hart of the node ends reservations on the 64-byte sets it touches.
inline void break_reservations(Hart& hart, std::uint64_t address, unsigned bytes) noexcept {
  for (unsigned i = 0; i < kHartsPerNode; ++i) {
    Hart& other = hart.node_harts[i];
    const std::uint64_t set = other.reservation;
    if (set != kNoReservation && address < set + kReservationBytes && set < address + bytes)
      other.reservation = kNoReservation;
  }
}

[[nodiscard]] inline bool in_window(const Hart& hart, std::uint64_t address,
                                    std::uint64_t bytes) noexcept {
  const std::uint64_t offset = address - hart.memory.base;
  return offset < hart.memory.bytes && hart.memory.bytes - offset >= bytes;
}

template <typename T>
[[nodiscard]] inline Outcome load(Hart& hart, const Operation& operation, std::uint64_t address,
                                  T& value) {
  if (in_window(hart, address, sizeof(T))) [[likely]] {
    std::memcpy(&value, hart.memory.host + (address - hart.memory.base), sizeof(T));
    return Outcome::Next;
  }
  return hart.environment->access(hart, operation, address, sizeof(T), false, &value);
}

template <typename T>
[[nodiscard]] inline Outcome store(Hart& hart, const Operation& operation, std::uint64_t address,
                                   T value) {
  if (in_window(hart, address, sizeof(T))) [[likely]] {
    std::memcpy(hart.memory.host + (address - hart.memory.base), &value, sizeof(T));
    if (hart.reservations_held) [[unlikely]] break_reservations(hart, address, sizeof(T));
    return Outcome::Next;
  }
  return hart.environment->access(hart, operation, address, sizeof(T), true, &value);
}

}  // namespace d1::isa
