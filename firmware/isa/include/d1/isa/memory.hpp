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

// The slow paths stand apart so that no local of an instruction's handler has its address taken:
// the interpreter's handlers call each other in tail position.
struct Loaded {
  Outcome outcome;
  std::uint64_t bits;
};
[[nodiscard, gnu::noinline]] inline Loaded load_outside(Hart& hart, const Operation& operation,
                                                        std::uint64_t address, unsigned bytes) {
  std::uint64_t bits = 0;
  const Outcome outcome =
      hart.environment->access(hart, operation, address, bytes, false, &bits);
  return {outcome, bits};
}
[[nodiscard, gnu::noinline]] inline Outcome store_outside(Hart& hart, const Operation& operation,
                                                          std::uint64_t address, unsigned bytes,
                                                          std::uint64_t bits) {
  return hart.environment->access(hart, operation, address, bytes, true, &bits);
}

// T is an unsigned integer of 1 to 8 bytes.
template <typename T>
[[nodiscard]] inline Outcome load(Hart& hart, const Operation& operation, std::uint64_t address,
                                  T& value) {
  static_assert(std::is_unsigned_v<T> && sizeof(T) <= 8);
  if (in_window(hart, address, sizeof(T))) [[likely]] {
    std::memcpy(&value, hart.memory.host + (address - hart.memory.base), sizeof(T));
    return Outcome::Next;
  }
  const Loaded loaded = load_outside(hart, operation, address, sizeof(T));
  value = static_cast<T>(loaded.bits);
  return loaded.outcome;
}

template <typename T>
[[nodiscard]] inline Outcome store(Hart& hart, const Operation& operation, std::uint64_t address,
                                   T value) {
  static_assert(std::is_unsigned_v<T> && sizeof(T) <= 8);
  if (in_window(hart, address, sizeof(T))) [[likely]] {
    std::memcpy(hart.memory.host + (address - hart.memory.base), &value, sizeof(T));
    if (hart.reservations_held) [[unlikely]] break_reservations(hart, address, sizeof(T));
    return Outcome::Next;
  }
  return store_outside(hart, operation, address, sizeof(T), value);
}

}  // namespace d1::isa
