// SPDX-License-Identifier: Apache-2.0
#include "machine_state.hpp"

#include <sys/resource.h>

#include <memory>
#include <new>

namespace d1::emulator {

MachineState::MachineState(const MachineDescription& description,
                           std::span<const std::uint8_t> rom, Sharing sharing)
    : description_(description),
      geometry_(description_),
      per_die_(description_.node_positions()),
      positions_(per_die_ * description_.die_count()),
      sram_(std::size_t{positions_} * kSramStride, sharing),
      hbm_(geometry_.dips().size() * description_.hbm_bytes, sharing),
      vectors_(std::size_t{positions_} * isa::kHartsPerNode * sizeof(isa::VectorRegisters)),
      table_(std::size_t{positions_} * sizeof(Node*)),
      nodes_(std::size_t{positions_} * sizeof(Node)),
      rom_(std::make_unique<CodeImage>(D1_ROM_BASE, rom, &blocks_decoded_)) {
  rom_->set_names(std::make_shared<const CodeNames>(
      std::vector<NamedFunction>{{"boot_rom", D1_ROM_BASE, rom.size()}}));
  // Few nodes take small pages. Of many, each visit would miss the TLB several times.
  constexpr std::size_t kFewNodes = 128;  // own
  nodes_.prefer_huge_pages(kFewNodes * sizeof(Node));
  // Buffers lie side by side here, and rows of matrices are often a page apart.
  hbm_.prefer_huge_pages(0);
}

void MachineState::collapse_dense_sram() noexcept {
  constexpr std::size_t kAtOnce = 256;  // own: a die; 2 ms to look, 0.1 s and more to change all
  constexpr long kManyFaults = 2048;    // own: of pages, since the last round began
  if (next_huge_page_ == 0) {
    rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0 || used.ru_minflt - faults_ < kManyFaults) return;
    faults_ = used.ru_minflt;
  }
  sram_.collapse_dense_pages(next_huge_page_, kAtOnce);
  next_huge_page_ += kAtOnce;
  if (next_huge_page_ >= sram_.huge_pages()) next_huge_page_ = 0;
}

MachineState::~MachineState() {
  for (std::size_t i = 0; i < made_; ++i) std::destroy_at(std::launder(place_of(i)));
}

bool MachineState::set_slowness(std::uint32_t factor) {
  if (factor == slowness_) return false;
  slowness_ = static_cast<std::uint16_t>(factor);
  for (std::size_t i = 0; i < made_; ++i) std::launder(place_of(i))->set_slowness(slowness_);
  return true;
}

Node& MachineState::node(NodeIndex id) {
  Node*& slot = nodes()[id];
  if (slot == nullptr) {
    slot = new (place_of(made_)) Node(*this, id);
    slot->set_slowness(slowness_);
    ++made_;
  }
  return *slot;
}

}  // namespace d1::emulator
