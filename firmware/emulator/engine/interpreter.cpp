// SPDX-License-Identifier: Apache-2.0
// The reference engine: looks blocks up and runs their handlers. Plain on purpose.
#include "engine/block_run.hpp"

namespace d1::emulator {

using isa::Hart;

namespace {

class Interpreter final : public Engine {
 public:
  explicit Interpreter(Reach reach) : reach_(reach) {}

  TurnEnd run(Hart& hart, const CodeView& code, std::uint64_t budget) override {
    isa::enter_guest_float(hart);
    const After after = run_blocks(hart, code, work_done(hart) + budget);
    isa::leave_guest_float(hart);
    return turn_end(after);
  }
  EngineStatistics statistics() override { return {}; }

 private:
  After run_blocks(Hart& hart, const CodeView& code, std::uint64_t limit) const {
    take_pending_interrupt(hart);
    CodeImage* image = code.find(hart.pc);
    for (;;) {
      if (image == nullptr || !image->contains(hart.pc)) [[unlikely]]
        image = code.find(hart.pc);
      const Block* block = image != nullptr ? &image->block(hart.pc) : nullptr;
      if (block == nullptr || block->count == 0) [[unlikely]] {  // outside, or cut off by its end
        if (fetch_fault(hart) == After::Unhandled) return After::Unhandled;
        continue;
      }
      const After after = run_block(hart, *block, limit);
      if (is_over(after, reach_)) [[unlikely]] return After::Block;
      if (after == After::Continue) [[likely]] continue;
      if (after != After::LookUp) return after;
      image = nullptr;
    }
  }

  Reach reach_;
};

}  // namespace

std::unique_ptr<Engine> make_interpreter(Reach reach) {
  return std::make_unique<Interpreter>(reach);
}

}  // namespace d1::emulator
