// SPDX-License-Identifier: Apache-2.0
// What all engines do with a block: run it by its handlers, account for it, enter trap handlers.
// The meaning of a turn stands here once. Touches the hart alone; any thread that runs it.
#pragma once

#include <d1/isa/float_environment.hpp>

#include "engine/engine.hpp"

namespace d1::emulator {

// Work that counts against a turn's budget: what bounds the turn in emulated time too.
[[nodiscard]] inline std::uint64_t work_done(const isa::Hart& hart) noexcept {
  const auto of = [&hart](isa::Unit unit) { return hart.units[static_cast<unsigned>(unit)]; };
  return hart.work + of(isa::Unit::Simd) + of(isa::Unit::Matrix) + of(isa::Unit::LoadPort) +
         of(isa::Unit::StorePort);
}
// The same of ticks that are no hart's yet.
[[nodiscard]] inline std::uint32_t budget_of(const UnitTicks& ticks) noexcept {
  const auto of = [&ticks](isa::Unit unit) { return ticks[static_cast<unsigned>(unit)]; };
  return of(isa::Unit::Simd) + of(isa::Unit::Matrix) + of(isa::Unit::LoadPort) +
         of(isa::Unit::StorePort);
}

[[gnu::always_inline]] inline void account_block(isa::Hart& hart, const Block& block) noexcept {
  hart.instret += block.count;
  hart.work += block.work;
  const UnitTicks used = block.fixed_units;  // a copy: nothing the hart's account could overlap
  for (unsigned u = 0; u < hart.units.size(); ++u) hart.units[u] += used[u];
}

// Where a turn stands after a block.
enum class After : std::uint8_t {
  Continue,   // at hart.pc
  LookUp,     // at hart.pc, in an image that has to be found anew
  Budget, Parked, Stopped, Unhandled,  // the turn is over: see TurnEnd
  Block       // Reach::Block, and the turn goes on
};

[[nodiscard]] TurnEnd turn_end(After after) noexcept;

// Whether a call of Engine::run is over behind a block that was run.
[[nodiscard]] inline bool is_over(After after, Reach reach) noexcept {
  return reach == Reach::Block && (after == After::Continue || after == After::LookUp);
}

// Accounts for a block that ended with `outcome`, in full or up to hart.pc, and does what a trap or
// a change of state asks for. limit: of work_done(), for the end of the turn.
[[nodiscard]] After finish_block(isa::Hart& hart, const Block& block, isa::Outcome outcome,
                                 std::uint64_t limit);

// Runs a block from its beginning by its handlers, and finishes it.
[[gnu::always_inline]] inline After run_block(isa::Hart& hart, const Block& block,
                                              std::uint64_t limit) {
  const isa::Outcome outcome =
      block.operations.front().handler(hart, block.operations.data());
  if (outcome == isa::Outcome::Jump || outcome == isa::Outcome::Next) [[likely]] {
    account_block(hart, block);
    // Taken backward, or indirect: the only places where a turn may end.
    if ((hart.pc < block.end || block.indirect) && work_done(hart) >= limit) return After::Budget;
    if (!block.returns_from_trap) [[likely]] return After::Continue;
  }
  return finish_block(hart, block, outcome, limit);
}

// Runs the rest of a block, whose instructions before `operation` have been carried out. `charged`
// is what they hold units for beyond the block's fixed_units.
[[nodiscard]] After run_rest(isa::Hart& hart, const Block& block, const isa::Operation& operation,
                             const UnitTicks& charged, std::uint64_t limit);

// Enters the handler of an interrupt that is due.
void take_pending_interrupt(isa::Hart& hart) noexcept;

// hart.pc cannot be fetched: enters the trap handler, or After::Unhandled.
[[nodiscard]] After fetch_fault(isa::Hart& hart) noexcept;

}  // namespace d1::emulator
