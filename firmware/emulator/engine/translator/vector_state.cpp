// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/vector_state.hpp"

#include <map>
#include <optional>

#include <d1/isa/semantics/vector.hpp>

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

namespace {

VectorState full_state(const isa::VectorType& type) noexcept {
  if (isa::is_ill(type) || type.lmul_log2 < 0) return {};
  return {true, type.sew_log2, static_cast<std::uint8_t>(type.lmul_log2)};
}

}  // namespace

VectorState vector_state_of(const isa::HartState& hart) noexcept {
  const VectorState state = full_state(hart.vtype);
  return state.full && hart.vl == state.elements() ? state : VectorState{};
}

VectorState state_after(const Operation& operation, const VectorState& before) noexcept {
  switch (operation.id) {
    case InstructionId::vsetvl:
    case InstructionId::vle8ff_v: case InstructionId::vle16ff_v:
    case InstructionId::vle32ff_v: case InstructionId::vle64ff_v:
      return {};
    case InstructionId::vsetivli: {
      const VectorState after =
          full_state(isa::decode_vtype(static_cast<std::uint64_t>(operation.full >> 20 & 0x3ff)));
      return after.full && operation.rs1 >= after.elements() ? after : VectorState{};
    }
    case InstructionId::vsetvli: {
      const VectorState after =
          full_state(isa::decode_vtype(static_cast<std::uint64_t>(operation.full >> 20 & 0x7ff)));
      const bool keeps_vl = operation.rs1 == 0 && operation.rd == 0;
      if (keeps_vl && (!before.full || !after.full || before.elements() != after.elements()))
        return {};
      return after;
    }
    default:
      return before;
  }
}

std::vector<VectorState> states_of_blocks(const Region& region, const VectorState& entry) {
  std::map<std::uint64_t, std::optional<VectorState>> states;
  for (const Block* block : region.blocks) states[block->start];
  states[region.blocks.front()->start] = entry;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Block* block : region.blocks) {
      if (!states[block->start]) continue;
      VectorState state = *states[block->start];
      for (unsigned i = 0; i < block->count; ++i) state = state_after(block->operations[i], state);
      const auto reach = [&](std::uint64_t pc) {
        const auto found = states.find(pc);
        if (found == states.end()) return;
        if (!found->second) found->second = state;
        else if (*found->second == state || !found->second->full) return;
        else found->second = VectorState{};
        changed = true;
      };
      const Successors after = successors_of(*block);
      if (after.has_taken && !after.call) reach(after.taken);
      if (after.has_next) reach(after.next);
    }
  }
  std::vector<VectorState> result;
  for (const Block* block : region.blocks)
    result.push_back(states[block->start].value_or(VectorState{}));
  return result;
}

}  // namespace d1::emulator
