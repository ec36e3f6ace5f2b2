// SPDX-License-Identifier: Apache-2.0
// What is known of vtype and vl at a place in a region: host code for vectors is specialised for
// it. "Full" is the state of a vector loop but for its last round: vl is VLMAX, and a group is
// whole registers. Pure functions and plain data.
#pragma once

#include <vector>

#include <d1/isa/hart.hpp>

#include "engine/translator/region.hpp"

namespace d1::emulator {

struct VectorState {
  bool full = false;  // and so known
  std::uint8_t sew_log2 = 0, lmul_log2 = 0;

  friend bool operator==(const VectorState&, const VectorState&) = default;

  [[nodiscard]] unsigned registers() const noexcept { return 1u << lmul_log2; }
  [[nodiscard]] unsigned elements() const noexcept { return 512u << lmul_log2 >> sew_log2; }
  [[nodiscard]] isa::VectorType type() const noexcept {
    return {sew_log2, static_cast<std::int8_t>(lmul_log2), 0, 0, 0};
  }
};

[[nodiscard]] VectorState vector_state_of(const isa::HartState& hart) noexcept;

// The state behind an operation. A vset* whose length is a register's leads to the full state:
// host code leaves the region where the length turns out to be another.
[[nodiscard]] VectorState state_after(const isa::Operation& operation,
                                      const VectorState& before) noexcept;

// The state at the beginning of each block, from that at the region's entry: full only if it is
// the same full state whichever way the block is reached.
[[nodiscard]] std::vector<VectorState> states_of_blocks(const Region& region,
                                                        const VectorState& entry);

}  // namespace d1::emulator
