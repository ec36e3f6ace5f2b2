// SPDX-License-Identifier: Apache-2.0
// Loops of one block (access_plan.hpp): what is done once for many rounds. Accesses are checked,
// part of the budget is put by, so that what is left lasts for those rounds, and where it is known
// how many rounds there are, their cost is counted beforehand and nothing else ends them.
#include <algorithm>
#include <bit>

#include "engine/block_run.hpp"
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::Operation;

namespace {

constexpr unsigned kLargestOfPairs = 12;  // instructions; own

}  // namespace

void RegionEmitter::emit_loop_entry(const AccessPlan& plan, Label& checked) {
  for (const AccessPlan::Base& base : plan.bases) {
    const std::int64_t travel = base.step * (plan.rounds - 1);
    check_range(read(base.guest, rcx), base.low + std::min<std::int64_t>(travel, 0),
                base.end + std::max<std::int64_t>(travel, 0), checked);
  }
  if (plan.counts()) return count_rounds(plan, checked);
  const std::uint32_t ticks = ticks_of(*block_);  // a round takes no less
  xor_(ecx, ecx);
  mov(rax, r15);
  sub(rax, plan.rounds * ticks);
  cmovl(rax, rcx);
  mov(budget_put_by(), rax);
  sub(r15, rax);
}

// --- rounds that are counted ---------------------------------------------------------------------

// `checked` is taken where the counter passes the limit by.
void RegionEmitter::count_rounds(const AccessPlan& plan, Label& checked) {
  const AccessPlan::Count& count = plan.count;
  const bool up = count.step > 0;
  const auto step = static_cast<std::uint32_t>(std::abs(count.step));
  const unsigned from = up ? count.counter : count.limit;
  load(rcx, up ? count.limit : count.counter);
  if (from != 0) sub(rcx, operand(from));
  if (step > 1) {
    test(ecx, step - 1);
    jnz(checked, T_NEAR);
    shr(rcx, std::countr_zero(step));
  } else {
    test(rcx, rcx);
  }
  jz(checked, T_NEAR);
  mov(eax, plan.rounds);
  cmp(rcx, rax);
  cmova(rcx, rax);
  const auto ticks = static_cast<int>(ticks_of(*block_));
  Label budget_ends, counted;
  imul(eax, ecx, ticks);
  cmp(r15, rax);
  jl(budget_ends, T_NEAR);
  L(counted);
  mov(rdx, r15);
  sub(rdx, rax);  // below zero if the budget ends within the last round
  mov(budget_put_by(), rdx);
  mov(r15, rax);
  multiply_cost(*block_);
  vpaddd(ymm15, ymm15, ymm14);
  out_of_line([this, block = block_, ticks, budget_ends, counted]() mutable {
    Label one;
    L(budget_ends);
    mov(ecx, 1);
    test(r15, r15);  // a block that does not end by a jump back may have taken the last of it
    jle(one);
    lea(eax, ptr[r15 + (ticks - 1)]);
    divide_by_ticks(*block);
    L(one);
    imul(eax, ecx, ticks);
    jmp(counted, T_NEAR);
  });
}

// ecx becomes the number of rounds that take eax ticks. edx is lost.
void RegionEmitter::divide_by_ticks(const Block& block) {
  xor_(edx, edx);
  mov(ecx, ticks_of(block));
  div(ecx);
  mov(ecx, eax);
}

// ymm14 becomes the cost of ecx rounds.
void RegionEmitter::multiply_cost(const Block& block) {
  vmovd(xmm14, ecx);
  vpbroadcastd(ymm14, xmm14);
  vpmulld(ymm14, ymm14, ptr[rip + constant_ticks(cost_of(block))]);
}

// ymm14 becomes the cost of the rounds that are left, the one that is not finished among them.
void RegionEmitter::find_cost_left(const LoopBody& loop) {
  mov(eax, r15d);
  if (loop.is_second) sub(eax, ticks_of(*loop.counted));
  divide_by_ticks(*loop.counted);
  multiply_cost(*loop.counted);
}

void RegionEmitter::take_back_rounds(const LoopBody& loop) {
  if (loop.counted == nullptr) return;
  find_cost_left(loop);
  vpsubd(ymm15, ymm15, ymm14);
}

void RegionEmitter::add_rounds(const LoopBody& loop) {
  if (loop.counted == nullptr) return;
  find_cost_left(loop);
  vpaddd(ymm15, ymm15, ymm14);
}

// Small bodies come in pairs. Of an odd number of rounds, in ecx, the first begins with the second.
void RegionEmitter::emit_counted_body(const Version& version) {
  LoopBody loop{.hoisted = true, .counted = block_, .top = &loop_tops_.emplace_back()};
  if (block_->count > kLargestOfPairs) return emit_body(version, loop);
  Label second;
  test(ecx, 1);
  jz(*loop.top, T_NEAR);
  add(r15, ticks_of(*block_));
  jmp(second, T_NEAR);
  align(kLoopAlignment);
  L(*loop.top);
  begin(*version.block, version.state, version.pending, loop);
  emit_all_but_end(0);
  L(second);
  loop.is_second = true;
  begin(*version.block, version.state, version.pending, loop);
  emit_operations(0);
}

void RegionEmitter::emit_counted_end(const Block& block, const Operation& branch) {
  Label ended;
  sub(r15, (loop_.is_second ? 2 : 1) * ticks_of(block));
  jg(*loop_.top, T_NEAR);
  add(r15, budget_put_by());
  compare(branch);
  je(ended, T_NEAR);
  test(r15, r15);
  jg(label_of(block.start), T_NEAR);
  jmp(budget_exit(block.start), T_NEAR);
  L(ended);
  go_to(block.end);
}

}  // namespace d1::emulator
