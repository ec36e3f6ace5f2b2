// SPDX-License-Identifier: Apache-2.0
#include "engine/block_run.hpp"

#include <d1/isa/trap.hpp>

namespace d1::emulator {

using isa::Hart;
using isa::Outcome;

namespace {

constexpr std::uint64_t kTrapTicks = 20 * isa::kTicksPerCycle;  // own: entering a handler

// The block was left before its end: everything before pc was retired, and the instruction there
// too if it ended with Sync or Stop (pc then already names what follows).
void account_part(Hart& hart, const Block& block, std::uint64_t stop) {
  for (unsigned i = 0; i < block.count && block.operations[i].pc != stop; ++i) {
    ++hart.instret;
    hart.work += block.issue_ticks[i];
    ++hart.units[static_cast<unsigned>(isa::Unit::Issue)];
    const UnitCost& cost = unit_cost(block.operations[i].id);
    if (cost.scale != Scale::Fixed) continue;  // charged as it ran
    hart.units[static_cast<unsigned>(cost.unit)] += cost.unit_ticks;
    hart.units[static_cast<unsigned>(cost.port)] += cost.port_ticks;
  }
}

// False when there is nobody to handle it: no vector, or the handler itself cannot be fetched.
bool enter_handler(Hart& hart) noexcept {
  const std::uint64_t vector = hart.mtvec & ~std::uint64_t{3};
  if (vector == 0 || hart.pc == vector) return false;
  isa::take_trap(hart);
  hart.work += kTrapTicks;
  return true;
}

}  // namespace

TurnEnd turn_end(After after) noexcept {
  switch (after) {
    case After::Parked: return TurnEnd::Parked;
    case After::Stopped: return TurnEnd::Stopped;
    case After::Unhandled: return TurnEnd::Unhandled;
    case After::Block: return TurnEnd::Block;
    default: return TurnEnd::Budget;
  }
}

void take_pending_interrupt(Hart& hart) noexcept {
  if (const auto interrupt = isa::interrupt_to_take(hart)) isa::take_interrupt(hart, *interrupt);
}

After fetch_fault(Hart& hart) noexcept {
  hart.trap = {isa::Cause::FetchAccess, hart.pc};
  return enter_handler(hart) ? After::LookUp : After::Unhandled;
}

After finish_block(Hart& hart, const Block& block, Outcome outcome, std::uint64_t limit) {
  switch (outcome) {
    case Outcome::Next:
    case Outcome::Jump:  // accounted for by run_block
      if (block.returns_from_trap) take_pending_interrupt(hart);
      return After::Continue;
    case Outcome::Sync:
      if (hart.pc == block.end) account_block(hart, block);
      else account_part(hart, block, hart.pc);
      take_pending_interrupt(hart);
      return After::LookUp;
    case Outcome::Stop:
      account_part(hart, block, hart.pc);
      return After::Stopped;
    case Outcome::Park:
      account_part(hart, block, hart.pc);
      return After::Parked;
    case Outcome::Trap:
      account_part(hart, block, hart.pc);
      if (!enter_handler(hart)) return After::Unhandled;
      return work_done(hart) >= limit ? After::Budget : After::Continue;
  }
  return After::Continue;
}

After run_rest(Hart& hart, const Block& block, const isa::Operation& operation,
               const UnitTicks& charged, std::uint64_t limit) {
  for (unsigned u = 0; u < hart.units.size(); ++u) hart.units[u] += charged[u];
  const Outcome outcome = operation.handler(hart, &operation);
  if (outcome == Outcome::Jump || outcome == Outcome::Next) {
    account_block(hart, block);
    if ((hart.pc < block.end || block.indirect) && work_done(hart) >= limit) return After::Budget;
  }
  return finish_block(hart, block, outcome, limit);
}

}  // namespace d1::emulator
