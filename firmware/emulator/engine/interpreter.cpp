// SPDX-License-Identifier: Apache-2.0
// The reference engine: looks blocks up, runs their handlers, accounts for time. Plain on purpose.
#include <algorithm>

#include <d1/isa/float_environment.hpp>
#include <d1/isa/trap.hpp>

#include "engine/engine.hpp"

namespace d1::emulator {

using isa::Hart;
using isa::Outcome;

namespace {

constexpr std::uint64_t kTrapTicks = 20 * isa::kTicksPerCycle;  // own: entering a handler

// Work that counts against a turn's budget: what bounds the turn in emulated time too.
std::uint64_t work_done(const Hart& hart) {
  const auto of = [&hart](isa::Unit unit) { return hart.units[static_cast<unsigned>(unit)]; };
  return hart.work + of(isa::Unit::Simd) + of(isa::Unit::Matrix) + of(isa::Unit::LoadPort) +
         of(isa::Unit::StorePort);
}

[[gnu::always_inline]] inline void account_block(Hart& hart, const Block& block) {
  hart.instret += block.count;
  hart.work += block.work;
  const UnitTicks used = block.fixed_units;  // a copy: nothing the hart's account could overlap
  for (unsigned u = 0; u < hart.units.size(); ++u) hart.units[u] += used[u];
}

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

class Interpreter final : public Engine {
 public:
  TurnEnd run(Hart& hart, const CodeView& code, std::uint64_t budget) override {
    isa::enter_guest_float(hart);
    const TurnEnd end = run_blocks(hart, code, work_done(hart) + budget);
    isa::leave_guest_float(hart);
    return end;
  }

 private:
  static TurnEnd run_blocks(Hart& hart, const CodeView& code, std::uint64_t limit) {
    take_pending_interrupt(hart);
    CodeImage* image = code.find(hart.pc);
    for (;;) {
      if (image == nullptr || !image->contains(hart.pc)) [[unlikely]] {
        image = code.find(hart.pc);
        if (image == nullptr) {
          if (!fetch_fault(hart)) return TurnEnd::Unhandled;
          continue;
        }
      }
      const Block& block = image->block(hart.pc);
      if (block.count == 0) [[unlikely]] {  // an instruction cut off by the image's end
        if (!fetch_fault(hart)) return TurnEnd::Unhandled;
        continue;
      }
      const Outcome outcome = block.operations.front().handler(hart, block.operations.data());
      if (outcome == Outcome::Jump || outcome == Outcome::Next) [[likely]] {
        account_block(hart, block);
        // Taken backward, or indirect: the only places where a turn may end.
        if ((hart.pc < block.end || block.indirect) && work_done(hart) >= limit)
          return TurnEnd::Budget;
        if (block.indirect && block.operations[block.count - 1].id == isa::InstructionId::mret)
            [[unlikely]]
          take_pending_interrupt(hart);
        continue;
      }
      switch (outcome) {
        case Outcome::Next:
        case Outcome::Jump:
          break;
        case Outcome::Sync:
          if (hart.pc == block.end) account_block(hart, block);
          else account_part(hart, block, hart.pc);
          take_pending_interrupt(hart);
          image = nullptr;
          break;
        case Outcome::Stop:
          account_part(hart, block, hart.pc);
          return TurnEnd::Stopped;
        case Outcome::Park:
          account_part(hart, block, hart.pc);
          return TurnEnd::Parked;
        case Outcome::Trap:
          account_part(hart, block, hart.pc);
          if (!enter_handler(hart)) return TurnEnd::Unhandled;
          if (work_done(hart) >= limit) return TurnEnd::Budget;
          break;
      }
    }
  }

  static void take_pending_interrupt(Hart& hart) {
    if (const auto interrupt = isa::interrupt_to_take(hart)) isa::take_interrupt(hart, *interrupt);
  }

  // False when there is nobody to handle it: no vector, or the handler itself cannot be fetched.
  static bool enter_handler(Hart& hart) {
    const std::uint64_t vector = hart.mtvec & ~std::uint64_t{3};
    if (vector == 0 || hart.pc == vector) return false;
    isa::take_trap(hart);
    hart.work += kTrapTicks;
    return true;
  }

  static bool fetch_fault(Hart& hart) {
    hart.trap = {isa::Cause::FetchAccess, hart.pc};
    return enter_handler(hart);
  }
};

}  // namespace

std::unique_ptr<Engine> make_interpreter() { return std::make_unique<Interpreter>(); }

}  // namespace d1::emulator
