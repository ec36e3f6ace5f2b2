// SPDX-License-Identifier: Apache-2.0
// What a region's instructions use, seen before any of them is emitted: so that what lives in host
// registers, and what is checked at the entry, is chosen first. An estimate: code that turns out to
// need something else is emitted again (RegionEmitter::emit). Pure functions and plain data.
#pragma once

#include <array>
#include <cstdint>

#include <d1/emulator/engine_options.hpp>

#include "engine/translator/region.hpp"
#include "engine/translator/region_registers.hpp"
#include "engine/translator/vector_state.hpp"

namespace d1::emulator {

struct RegisterSurvey {
  std::array<std::uint32_t, 32> integers{};  // uses when the region runs once, about
  KeptRegisters floats, vectors;
  KeptSums sums;
  std::uint32_t relies_on = 0;       // Reliance bits
  std::uint32_t singles_read = 0;    // float registers used as singles
  std::uint32_t unboxed_writes = 0;  // ... and those that may get something else
};

// `state` holds at the region's entry.
[[nodiscard]] RegisterSurvey survey_registers(const Region& region, const VectorState& state,
                                              HostLevel level);

// Where mma.bf16 is translated.
[[nodiscard]] bool is_translated_product(const isa::Operation& operation) noexcept;

}  // namespace d1::emulator
