// SPDX-License-Identifier: Apache-2.0
#include "machine_state.hpp"

namespace d1::emulator {

MachineState::MachineState(const MachineDescription& description,
                           std::span<const std::uint8_t> rom)
    : description_(description),
      geometry_(description_),
      per_die_(description_.node_positions()),
      positions_(per_die_ * description_.die_count()),
      sram_(std::size_t{positions_} * kSramStride),
      hbm_(geometry_.dips().size() * description_.hbm_bytes),
      vectors_(std::size_t{positions_} * isa::kHartsPerNode * sizeof(isa::VectorRegisters)),
      table_(std::size_t{positions_} * sizeof(Node*)),
      rom_(std::make_unique<CodeImage>(D1_ROM_BASE, rom, &blocks_decoded_)) {
  rom_->set_names(std::make_shared<const CodeNames>(
      std::vector<NamedFunction>{{"boot_rom", D1_ROM_BASE, rom.size()}}));
}

MachineState::~MachineState() {
  for (Node* node : made_) delete node;
}

Node& MachineState::node(NodeIndex id) {
  Node*& slot = nodes()[id];
  if (slot == nullptr) {
    slot = new Node(*this, id);
    made_.push_back(slot);
  }
  return *slot;
}

}  // namespace d1::emulator
