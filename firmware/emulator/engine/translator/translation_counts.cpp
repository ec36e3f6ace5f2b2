// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/translation_counts.hpp"

#include <d1/isa/instruction.hpp>

namespace d1::emulator {

void count_region(TranslationStatistics& totals, const Region& region, const Site* rest,
                  std::size_t code_bytes) noexcept {
  if (code_bytes == 0) {
    ++totals.rejected_regions;
    return;
  }
  ++totals.regions;
  totals.code_bytes += code_bytes;
  for (const Block* block : region.blocks) {
    totals.instructions += block->count;
    totals.guest_bytes += block->end - block->start;
  }
  if (rest == nullptr) return;
  const isa::Operation* const first = rest->block->operations.data();
  totals.instructions -= static_cast<std::size_t>(rest->operation - first);
  totals.guest_bytes -= rest->operation->pc - rest->block->start;
}

std::vector<TranslatedInstruction> named(const EmissionCounts& counts) {
  std::vector<TranslatedInstruction> found;
  for (unsigned i = 0; i < counts.in_line.size(); ++i)
    if (counts.in_line[i] + counts.called[i] != 0)
      found.push_back({std::string(isa::facts(static_cast<isa::InstructionId>(i)).mnemonic),
                       counts.in_line[i], counts.called[i]});
  return found;
}

}  // namespace d1::emulator
