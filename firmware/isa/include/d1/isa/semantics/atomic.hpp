// SPDX-License-Identifier: Apache-2.0
// Semantics of A. One host thread runs all harts of a node, so plain host accesses are atomic here;
// acquire and release need nothing more. Contract of all semantics: semantics/common.hpp.
#pragma once

#include <algorithm>
#include <type_traits>

#include <d1/isa/semantics/integer.hpp>

namespace d1::isa {

// Tells every hart of the node whether stores have reservations to look after.
inline void announce_reservations(Hart& hart) noexcept {
  bool held = false;
  for (unsigned i = 0; i < kHartsPerNode; ++i)
    held |= hart.node_harts[i].reservation != kNoReservation;
  for (unsigned i = 0; i < kHartsPerNode; ++i) hart.node_harts[i].reservations_held = held;
}

namespace exec {

// Misaligned addresses trap, as does everything outside the node's own memory: reservations are
// the node's.
template <typename T>
inline Outcome load_reserved(Hart& hart, const Operation& operation) {
  const std::uint64_t address = hart.x[operation.rs1];
  if (address % sizeof(T) != 0) return trap(hart, operation, Cause::LoadMisaligned, address);
  if (!in_window(hart, address, sizeof(T)))
    return trap(hart, operation, Cause::LoadAccess, address);
  std::make_unsigned_t<T> value;
  const Outcome outcome = load(hart, operation, address, value);
  if (outcome != Outcome::Next) return outcome;
  set_x(hart, operation.rd, static_cast<std::uint64_t>(std::int64_t{static_cast<T>(value)}));
  hart.reservation = address & ~(kReservationBytes - 1);
  announce_reservations(hart);
  return Outcome::Next;
}

template <typename T>
inline Outcome store_conditional(Hart& hart, const Operation& operation) {
  const std::uint64_t address = hart.x[operation.rs1];
  if (address % sizeof(T) != 0) return trap(hart, operation, Cause::StoreMisaligned, address);
  if (!in_window(hart, address, sizeof(T)))
    return trap(hart, operation, Cause::StoreAccess, address);
  const bool reserved = hart.reservation == (address & ~(kReservationBytes - 1));
  if (reserved) {
    const Outcome outcome = store(hart, operation, address,
                                  static_cast<std::make_unsigned_t<T>>(hart.x[operation.rs2]));
    if (outcome != Outcome::Next) return outcome;
  }
  hart.reservation = kNoReservation;
  announce_reservations(hart);
  set_x(hart, operation.rd, reserved ? 0 : 1);
  return Outcome::Next;
}

// T is the signed type of the access; `combine` takes the old value and the operand.
template <typename T, typename Combine>
inline Outcome atomic_operation(Hart& hart, const Operation& operation, Combine combine) {
  using Unsigned = std::make_unsigned_t<T>;
  const std::uint64_t address = hart.x[operation.rs1];
  if (address % sizeof(T) != 0) return trap(hart, operation, Cause::StoreMisaligned, address);
  const auto operand = static_cast<T>(hart.x[operation.rs2]);
  T old;
  if (in_window(hart, address, sizeof(T))) [[likely]] {
    Unsigned bits;
    Outcome outcome = load(hart, operation, address, bits);
    if (outcome != Outcome::Next) return outcome;
    old = static_cast<T>(bits);
    outcome = store(hart, operation, address, static_cast<Unsigned>(combine(old, operand)));
    if (outcome != Outcome::Next) return outcome;
  } else {
    std::uint64_t result = 0;
    const Outcome outcome = hart.environment->remote_amo(
        hart, operation, address, sizeof(T), operation.full >> 27, hart.x[operation.rs2], result);
    if (outcome != Outcome::Next) return outcome;
    old = static_cast<T>(result);
  }
  set_x(hart, operation.rd, static_cast<std::uint64_t>(std::int64_t{old}));
  return Outcome::Next;
}

inline Outcome lr_w(Hart& h, const Operation& o) { return load_reserved<std::int32_t>(h, o); }
inline Outcome lr_d(Hart& h, const Operation& o) { return load_reserved<std::int64_t>(h, o); }
inline Outcome sc_w(Hart& h, const Operation& o) { return store_conditional<std::int32_t>(h, o); }
inline Outcome sc_d(Hart& h, const Operation& o) { return store_conditional<std::int64_t>(h, o); }

// Both widths of one operation; `old` and `operand` are signed and of the access's width.
#define D1_ATOMIC(name, expression)                                                          \
  inline Outcome name##_w(Hart& hart, const Operation& operation) {                          \
    using Unsigned [[maybe_unused]] = std::uint32_t;                                         \
    return atomic_operation<std::int32_t>(                                                   \
        hart, operation,                                                                     \
        []([[maybe_unused]] std::int32_t old, std::int32_t operand) { return expression; }); \
  }                                                                                          \
  inline Outcome name##_d(Hart& hart, const Operation& operation) {                          \
    using Unsigned [[maybe_unused]] = std::uint64_t;                                         \
    return atomic_operation<std::int64_t>(                                                   \
        hart, operation,                                                                     \
        []([[maybe_unused]] std::int64_t old, std::int64_t operand) { return expression; }); \
  }

D1_ATOMIC(amoswap, operand)
D1_ATOMIC(amoadd, static_cast<Unsigned>(old) + static_cast<Unsigned>(operand))
D1_ATOMIC(amoxor, old ^ operand)
D1_ATOMIC(amoand, old& operand)
D1_ATOMIC(amoor, old | operand)
D1_ATOMIC(amomin, std::min(old, operand))
D1_ATOMIC(amomax, std::max(old, operand))
D1_ATOMIC(amominu, std::min(static_cast<Unsigned>(old), static_cast<Unsigned>(operand)))
D1_ATOMIC(amomaxu, std::max(static_cast<Unsigned>(old), static_cast<Unsigned>(operand)))

#undef D1_ATOMIC

}  // namespace exec
}  // namespace d1::isa
