// SPDX-License-Identifier: Apache-2.0
// What is known of vtype and vl at a place in a region: host code for vectors is specialised for
// it. Pure functions and plain data.
#pragma once

#include <d1/isa/hart.hpp>

#include "engine/translator/region.hpp"

namespace d1::emulator {

inline constexpr std::int16_t kAnyLength = -1;

struct VectorState {
  bool known = false;  // vtype is, and it is no ill one
  std::uint8_t sew_log2 = 0;
  std::int8_t lmul_log2 = 0;
  std::int16_t length = kAnyLength;  // vl

  friend bool operator==(const VectorState&, const VectorState&) = default;

  // Of a group; a fraction of a register is in one.
  [[nodiscard]] unsigned registers() const noexcept {
    return lmul_log2 > 0 ? 1u << lmul_log2 : 1u;
  }
  [[nodiscard]] unsigned vlmax() const noexcept { return 1u << (9 - sew_log2 + lmul_log2); }
  // The state of a loop but for its last round: every element of whole registers.
  [[nodiscard]] bool full() const noexcept {
    return known && lmul_log2 >= 0 && length == static_cast<int>(vlmax());
  }
  [[nodiscard]] isa::VectorType type() const noexcept {
    return {sew_log2, lmul_log2, 0, 0, 0};
  }
};

// Of a length that is not VLMAX it says nothing: others come to the same place.
[[nodiscard]] VectorState vector_state_of(const isa::HartState& hart) noexcept;

// Whether the length of a vset* is a register's: VLMAX, or less.
[[nodiscard]] bool takes_length_from_register(const isa::Operation& operation) noexcept;
enum class Length : std::uint8_t { Most, Any };

// A load that ends at the first fault, with a vl that is as short.
[[nodiscard]] bool may_shorten(const isa::Operation& operation) noexcept;

// The state behind an operation. `length` is what a register gave to a vset*.
[[nodiscard]] VectorState state_after(const isa::Operation& operation, const VectorState& before,
                                      Length length) noexcept;

// The blocks whose code depends on the state at their beginnings, or that hand it to such ones.
[[nodiscard]] BlockSet blocks_that_use_state(const Region& region);

}  // namespace d1::emulator
