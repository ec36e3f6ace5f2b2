// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/vector_state.hpp"

#include <d1/isa/semantics/vector.hpp>

#include "engine/register_use.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

namespace {

VectorState state_of_type(std::uint64_t bits) noexcept {
  const isa::VectorType type = isa::decode_vtype(bits);
  if (isa::is_ill(type)) return {};
  return {true, type.sew_log2, type.lmul_log2, kAnyLength};
}

VectorState with_length(VectorState state, unsigned length) noexcept {
  state.length = static_cast<std::int16_t>(length);
  return state;
}

bool keeps_length(const Operation& operation) noexcept {
  return operation.id == InstructionId::vsetvli && operation.rs1 == 0 && operation.rd == 0;
}

bool sets_state(const Operation& operation) noexcept {
  switch (operation.id) {
    case InstructionId::vsetvli: return !keeps_length(operation);
    case InstructionId::vsetivli: case InstructionId::vsetvl: return true;
    default: return false;
  }
}

bool uses_state(const Operation& operation) noexcept {
  return is_vector(operation.id) && !sets_state(operation) &&
         vector_access(operation.id).kind != VectorAccess::WholeRegister &&
         isa::facts(operation.id).extension != isa::Extension::Xd1;
}

}  // namespace

VectorState vector_state_of(const isa::HartState& hart) noexcept {
  if (isa::is_ill(hart.vtype)) return {};
  const VectorState state{true, hart.vtype.sew_log2, hart.vtype.lmul_log2, kAnyLength};
  return hart.vl == state.vlmax() ? with_length(state, state.vlmax()) : state;
}

bool takes_length_from_register(const Operation& operation) noexcept {
  return operation.id == InstructionId::vsetvli && operation.rs1 != 0;
}

bool may_shorten(const Operation& operation) noexcept {
  switch (operation.id) {
    case InstructionId::vle8ff_v: case InstructionId::vle16ff_v:
    case InstructionId::vle32ff_v: case InstructionId::vle64ff_v: return true;
    default: return false;
  }
}

VectorState state_after(const Operation& operation, const VectorState& before,
                        Length length) noexcept {
  if (may_shorten(operation)) {
    VectorState after = before;
    after.length = kAnyLength;
    return after;
  }
  switch (operation.id) {
    case InstructionId::vsetvl:
      return {};
    case InstructionId::vsetivli: {
      const VectorState after = state_of_type(operation.full >> 20 & 0x3ff);
      return after.known ? with_length(after, std::min<unsigned>(operation.rs1, after.vlmax()))
                         : after;
    }
    case InstructionId::vsetvli: {
      VectorState after = state_of_type(operation.full >> 20 & 0x7ff);
      if (!after.known) return {};
      if (keeps_length(operation)) {
        if (!before.known || before.vlmax() != after.vlmax()) return {};
        after.length = before.length;
        return after;
      }
      const bool any = takes_length_from_register(operation) && length == Length::Any;
      return any ? after : with_length(after, after.vlmax());
    }
    default:
      return before;
  }
}

BlockSet blocks_that_use_state(const Region& region) {
  BlockSet result;
  const auto uses_at = [&](std::uint64_t pc) {
    const std::size_t place = region.place_of(pc);
    return place < region.blocks.size() && result[place];
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t place = 0; place < region.blocks.size(); ++place) {
      if (result[place]) continue;
      const Block* const block = region.blocks[place];
      bool uses = false, sets = false;
      for (unsigned i = 0; i < block->count && !uses && !sets; ++i) {
        uses = uses_state(block->operations[i]);
        sets = sets_state(block->operations[i]);
      }
      if (!uses && !sets) {
        const Successors after = successors_of(*block);
        uses = (after.has_taken && !after.call && uses_at(after.taken)) ||
               (after.has_next && uses_at(after.next));
      }
      if (!uses) continue;
      result.set(place);
      changed = true;
    }
  }
  return result;
}

}  // namespace d1::emulator
