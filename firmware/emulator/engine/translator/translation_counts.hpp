// SPDX-License-Identifier: Apache-2.0
// What was translated, in numbers. Pure functions.
#pragma once

#include <vector>

#include <d1/emulator/engine_statistics.hpp>

#include "engine/translator/region.hpp"
#include "engine/translator/translation_target.hpp"

namespace d1::emulator {

// Counts a region, or the one that begins at `rest` in its first block. code_bytes: 0 where it was
// rejected.
void count_region(TranslationStatistics& totals, const Region& region, const Site* rest,
                  std::size_t code_bytes) noexcept;

// Those that were translated, by their names.
[[nodiscard]] std::vector<TranslatedInstruction> named(const EmissionCounts& counts);

}  // namespace d1::emulator
