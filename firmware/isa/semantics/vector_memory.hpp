// SPDX-License-Identifier: Apache-2.0
// What all vector loads and stores share: checks and the walk over elements and fields. A trap
// leaves the elements before vstart done. Private to this folder.
#pragma once

#include <semantics/vector_common.hpp>

namespace d1::isa::vector {

enum class Direction : std::uint8_t { Load, Store };

// Whether `fields` groups of that size fit at vd (vs3): aligned, 8 registers at most, none past
// v31.
[[nodiscard]] inline bool fields_ok(const Operation& operation, unsigned fields,
                                    int emul_log2) noexcept {
  if (!group_ok(operation.rd, emul_log2)) return false;
  const unsigned registers = fields * registers_of(emul_log2);
  return registers <= 8 && operation.rd + registers <= 32;
}

// Moves one element between memory and the register group at `reg`.
template <Direction direction, typename T>
[[nodiscard]] inline Outcome move_element(Hart& hart, const Operation& operation,
                                          std::uint64_t address, unsigned reg, unsigned index) {
  if constexpr (direction == Direction::Store) {
    return store(hart, operation, address, element<T>(hart, reg, index));
  } else {
    T value;
    const Outcome outcome = load(hart, operation, address, value);
    if (outcome == Outcome::Next) set_element(hart, reg, index, value);
    return outcome;
  }
}

// Moves all active elements, `fields` of them at address_of(index). When one does not go through,
// vstart is its index and the outcome that of its access.
template <Direction direction, typename T, typename AddressOf>
Outcome move_elements(Hart& hart, const Operation& operation, const Body& body, unsigned fields,
                      unsigned registers, AddressOf&& address_of) {
  for (unsigned first = body.start & ~63U; first < body.end; first += 64) {
    for (std::uint64_t bits = active_bits(hart, body, first, 64); bits != 0; bits &= bits - 1) {
      const unsigned index = first + static_cast<unsigned>(std::countr_zero(bits));
      std::uint64_t address = address_of(index);
      for (unsigned field = 0; field < fields; ++field, address += sizeof(T)) {
        const Outcome outcome = move_element<direction, T>(hart, operation, address,
                                                           operation.rd + field * registers, index);
        if (outcome != Outcome::Next) [[unlikely]] {
          hart.vstart = index;
          mark_vector_dirty(hart);
          return outcome;
        }
      }
    }
  }
  return Outcome::Next;
}

// Ends a load: agnostic fill in the groups of all fields. Stores end with finish(hart).
inline Outcome finish_load(Hart& hart, const Operation& operation, const Body& body,
                           unsigned fields, unsigned element_log2, int emul_log2) noexcept {
  if (agnostic_fill) [[unlikely]]
    for (unsigned field = 0; field < fields; ++field)
      fill_agnostic(hart, body, operation.rd + field * registers_of(emul_log2), element_log2,
                    emul_log2);
  return finish(hart);
}

}  // namespace d1::isa::vector
