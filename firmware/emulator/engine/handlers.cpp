// SPDX-License-Identifier: Apache-2.0
#include "engine/handlers.hpp"

#include <array>

#include <d1/isa/semantics/atomic.hpp>
#include <d1/isa/semantics/bitmanip.hpp>
#include <d1/isa/semantics/float.hpp>
#include <d1/isa/semantics/integer.hpp>
#include <d1/isa/semantics/system.hpp>
#include <d1/isa/semantics/vector.hpp>
#include <d1/isa/semantics/xd1.hpp>

#include "engine/timing.hpp"

namespace d1::emulator {

using isa::Hart;
using isa::InstructionId;
using isa::Operation;
using isa::Outcome;

namespace {

using Semantics = Outcome (*)(Hart&, const Operation&);

// The semantics are inlined here; the compiler turns the last call into a jump.
template <Semantics kMeaning>
Outcome step(Hart& hart, const Operation* operation) {
  const Outcome outcome = kMeaning(hart, *operation);
  if (outcome != Outcome::Next) [[unlikely]] return outcome;
  return operation[1].handler(hart, operation + 1);
}

// For instructions whose occupancy depends on vtype or vl.
template <Semantics kMeaning>
Outcome charged_step(Hart& hart, const Operation* operation) {
  const Outcome outcome = kMeaning(hart, *operation);
  if (outcome != Outcome::Next) [[unlikely]] return outcome;
  charge_units(hart, *operation);
  return operation[1].handler(hart, operation + 1);
}

Outcome illegal_step(Hart& hart, const Operation* operation) {
  return isa::illegal(hart, *operation);
}

using Table = std::array<Handler, static_cast<std::size_t>(InstructionId::Count)>;

template <Semantics kMeaning>
constexpr Handler choose(InstructionId id) {
  return unit_cost(id).scale == Scale::Fixed ? step<kMeaning> : charged_step<kMeaning>;
}

Table make_table() {
  Table table{};
  table.fill(illegal_step);
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  table[static_cast<std::size_t>(InstructionId::id)] = step<&isa::exec::id>;
#include <d1/isa/table/base.def>
#include <d1/isa/table/bitmanip.def>
#include <d1/isa/table/float.def>
#include <d1/isa/table/xd1.def>
#undef D1_INSTRUCTION
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  table[static_cast<std::size_t>(InstructionId::id)] =                            \
      choose<&isa::exec::id>(InstructionId::id);
#include <d1/isa/table/vector_float.def>
#include <d1/isa/table/vector_integer.def>
#include <d1/isa/table/vector_mask.def>
#include <d1/isa/table/vector_memory.def>
#undef D1_INSTRUCTION
  return table;
}

}  // namespace

Handler handler_of(InstructionId id) noexcept {
  static const Table table = make_table();
  return table[static_cast<std::size_t>(id)];
}

Outcome leave_block(Hart& hart, const Operation* operation) {
  hart.pc = operation->pc;
  return Outcome::Next;
}

}  // namespace d1::emulator
