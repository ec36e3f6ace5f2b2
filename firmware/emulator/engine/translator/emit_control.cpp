// SPDX-License-Identifier: Apache-2.0
// How a block ends: branches, jumps, exits. A turn may end where a branch is taken backward or a
// jump is indirect, as in every engine.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

void RegionEmitter::emit_end(const Block& block) {
  const Operation& last = block.operations[block.count - 1];
  end_sums();
  if (!hands_pending_to_itself(block)) settle_all();
  const auto ticks = budget_ticks(block);
  switch (last.id) {
    case InstructionId::beq: case InstructionId::bne: case InstructionId::blt:
    case InstructionId::bge: case InstructionId::bltu: case InstructionId::bgeu:
      return emit_branch(block, last);
    case InstructionId::jalr:
      return emit_jump_register(block, last);
    case InstructionId::jal: {
      const std::uint64_t target = last.pc + static_cast<std::uint64_t>(last.immediate);
      if (last.rd != 0) {
        const Reg64 link = result(last.rd);
        mov(link, last.next_pc());
        write(last.rd, link);
      }
      add_counters(block);
      sub(r15, ticks);
      if (target < block.end) jle(budget_exit(target), T_NEAR);
      return go_to(target);
    }
    default:
      add_counters(block);
      sub(r15, ticks);
      return go_to(block.end);
  }
}

bool RegionEmitter::hands_pending_to_itself(const Block& block) {
  const Successors after = successors_of(block);
  return pending_.any() && after.has_taken && after.has_next && after.taken == block.start &&
         version_of(block.start) != nullptr;
}

void RegionEmitter::compare(const Operation& branch) {
  // x0 on the left needs a register, on the right an immediate.
  if (branch.rs2 != 0) cmp(read(branch.rs1, rax), operand(branch.rs2));
  else if (branch.rs1 == 0) cmp(r15, r15);
  else if (const int host = pinned(branch.rs1); host >= 0) test(Reg64(host), Reg64(host));
  else cmp(operand(branch.rs1), 0);
}

void RegionEmitter::emit_branch(const Block& block, const Operation& operation) {
  const std::uint64_t target = operation.pc + static_cast<std::uint64_t>(operation.immediate);
  const bool backward = target < block.end;
  if (loop_.counted != nullptr) return emit_counted_end(block, operation);
  const auto ticks = budget_ticks(block);
  add_counters(block);
  if (!backward) sub(r15, ticks);
  compare(operation);
  Label not_taken;
  Label& taken = backward ? not_taken : label_of(target);
  // Backward: the jump that is emitted goes around what a taken branch does.
  switch (operation.id) {
    case InstructionId::beq: backward ? jne(taken, T_NEAR) : je(taken, T_NEAR); break;
    case InstructionId::bne: backward ? je(taken, T_NEAR) : jne(taken, T_NEAR); break;
    case InstructionId::blt: backward ? jge(taken, T_NEAR) : jl(taken, T_NEAR); break;
    case InstructionId::bge: backward ? jl(taken, T_NEAR) : jge(taken, T_NEAR); break;
    case InstructionId::bltu: backward ? jae(taken, T_NEAR) : jb(taken, T_NEAR); break;
    default: backward ? jb(taken, T_NEAR) : jae(taken, T_NEAR); break;
  }
  if (backward) {
    sub(r15, ticks);
    emit_back_edge(target);
    L(not_taken);
    settle_all();
    sub(r15, ticks);
    if (loop_.hoisted) add(r15, budget_put_by());
  }
  go_to(block.end);
}

void RegionEmitter::emit_back_edge(std::uint64_t target) {
  const bool to_top = loop_.top != nullptr && pending_ == pending_at_top_ &&
                      state_for(region_.place_of(target)) == state_at_top_;
  if (to_top) jg(*loop_.top, T_NEAR);
  if (loop_.hoisted) add(r15, budget_put_by());  // was it the end of the budget?
  if (!to_top || loop_.hoisted) jg(label_of(target), T_NEAR);
  call_settle(pending_);
  jmp(budget_exit(target), T_NEAR);
}

void RegionEmitter::emit_jump_register(const Block& block, const Operation& operation) {
  load(rax, operation.rs1);
  if (operation.immediate != 0) add(rax, static_cast<std::uint32_t>(operation.immediate));
  and_(rax, -2);
  if (operation.rd != 0) {
    const Reg64 link = pinned(operation.rd) >= 0 ? result(operation.rd) : rcx;
    mov(link, operation.next_pc());
    write(operation.rd, link);
  }
  add_counters(block);
  flush_kept();
  sub(r15, budget_ticks(block));
  jle(as_written(target_.thunks.leave_budget));
  if (target_.reach == Reach::Block) {
    jmp(as_written(target_.thunks.leave), T_NEAR);
    return;
  }
  // The block at rax, and its host code. The table has a place for each half-word.
  const CodeImage& image = *region_.image;
  mov(rcx, rax);
  if (image.base() <= 0x7fffffff) {
    sub(rcx, static_cast<std::uint32_t>(image.base()));
  } else {
    mov(rdx, image.base());
    sub(rcx, rdx);
  }
  cmp(rcx, static_cast<std::uint32_t>(image.bytes().size()));
  jae(as_written(target_.thunks.leave));
  mov(rdx, reinterpret_cast<std::uint64_t>(image.block_table()));
  mov(rcx, ptr[rdx + rcx * 4]);
  test(rcx, rcx);
  jz(as_written(target_.thunks.leave));
  mov(rcx, ptr[rcx + static_cast<int>(offsetof(Block, entry))]);
  test(rcx, rcx);
  jz(as_written(target_.thunks.leave));
  jmp(rcx);
}

void RegionEmitter::go_to(std::uint64_t pc) {
  Version* const version = version_of(pc);
  if (version != nullptr && !version->emitted && !loop_.is_copy) next_ = version;
  else jmp(label_of(pc), T_NEAR);
}

Label& RegionEmitter::label_of(std::uint64_t pc) {
  if (Version* const inside = version_of(pc)) return inside->label;
  const auto [exit, fresh] = exits_.try_emplace(pc);
  if (!fresh) return exit->second;
  Label& label = exit->second;
  out_of_line([this, pc, &label] {
    L(label);
    flush_kept();
    emit_link(pc, target_.thunks.leave_link);
  });
  return label;
}

Link& RegionEmitter::emit_linked_jump() {
  // The displacement is one aligned word, so that it can change while others jump.
  while ((reinterpret_cast<std::uintptr_t>(getCurr()) + 1) % 4 != 0) nop();
  Link& link = records_.links.emplace_back(Link{const_cast<std::uint8_t*>(getCurr()) + 1});
  db(0xe9);  // jmp
  dd(0);
  return link;
}

void RegionEmitter::emit_link(std::uint64_t pc, const std::uint8_t* exit) {
  Link& link = emit_linked_jump();
  link.pc = pc;
  mov(rdx, reinterpret_cast<std::uint64_t>(&link));
  jmp(as_written(exit), T_NEAR);
}

Label& RegionEmitter::budget_exit(std::uint64_t pc) {
  const auto [exit, fresh] = budget_exits_.try_emplace(pc);
  if (!fresh) return exit->second;
  Label& label = exit->second;
  out_of_line([this, pc, &label] {
    L(label);
    flush_kept();
    mov(rax, pc);
    jmp(as_written(target_.thunks.leave_budget), T_NEAR);
  });
  return label;
}

}  // namespace d1::emulator
