// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/thunks.hpp"

#include "engine/block_run.hpp"
#include "engine/translator/assembler.hpp"

namespace d1::emulator {

namespace {

using isa::Hart;
using isa::Outcome;

// Called by translated code. The ticks by which the turn's budget shrinks, or -1 if the
// instruction did not end with Next.
std::int64_t run_semantics(Hart* hart, const Site* site) {
  see_published_code();
  const unsigned rounding = hart->float_rounding;
  const Outcome outcome = site->semantics(*hart, *site->operation);
  // Translated code computes under the rounding mode that it found.
  if (hart->float_rounding != rounding && rounding != 0)
    (void)isa::detail::prepare_guest_float(*hart, static_cast<isa::RoundingMode>(rounding - 1));
  if (outcome == Outcome::Next) [[likely]] {
    if (!site->charges || unit_cost(site->operation->id).scale == Scale::Fixed) return 0;
    const std::uint64_t before = work_done(*hart);
    charge_units(*hart, *site->operation);
    return static_cast<std::int64_t>(work_done(*hart) - before);
  }
  hart->exit_reason = static_cast<std::uint8_t>(static_cast<unsigned>(ExitReason::Outcome) +
                                                static_cast<unsigned>(outcome));
  hart->exit_detail = site;
  return -1;
}

std::int64_t count_and_run_semantics(Hart* hart, const Site* site, ExecutionCounters* counters) {
  counters->count_helper(site->operation->id);
  return run_semantics(hart, site);
}

class ThunkEmitter : public Assembler {
 public:
  ThunkEmitter(CodeCache& cache, HostLevel level, MemoryBase base, ExecutionCounters* counters)
      : Assembler(cache, level, base), counters_(counters) {}

  Thunks emit() {
    Thunks thunks;
    thunks.enter = reinterpret_cast<Thunks::Enter>(reinterpret_cast<std::uintptr_t>(here()));
    emit_enter();
    thunks.leave = emit_exit(ExitReason::Leave);
    thunks.leave_link = emit_exit(ExitReason::Link);
    thunks.leave_budget = emit_exit(ExitReason::Budget);
    thunks.leave_guard = emit_exit(ExitReason::Guard);
    thunks.leave_rest = emit_exit(ExitReason::Rest);
    thunks.leave_state = emit_exit(ExitReason::State);
    thunks.scatter_bytes = emit_scatter(1);
    thunks.scatter_halves = emit_scatter(2);
    thunks.call_semantics = emit_call();
    finish();
    return thunks;
  }

 private:
  const std::uint8_t* here() const { return cache().executable(getCurr()); }

  void emit_enter() {
    for (const std::uint8_t number : kSavedRegisters) push(Xbyak::Reg64(number));
    sub(rsp, kRegionStackBytes);
    if (memory_base() == MemoryBase::Segment) {
      for (const int each : {0xf3, 0x48, 0x0f, 0xae, 0xd9}) db(each);  // wrgsbase rcx
    } else {
      mov(r14, rcx);
    }
    lea(rbp, ptr[rdi + kHartBias]);
    mov(rax, rsi);
    mov(r15, rdx);
    load_pinned();
    clear_counters();
    jmp(rax);
  }

  // Everything of the guest is in memory and the counters are clear.
  void emit_return() {
    if (level() != HostLevel::Portable) vzeroupper();
    add(rsp, kRegionStackBytes);
    for (std::size_t i = kSavedRegisters.size(); i-- > 0;) pop(Xbyak::Reg64(kSavedRegisters[i]));
    ret();
  }

  const std::uint8_t* emit_exit(ExitReason reason) {
    const std::uint8_t* const start = here();
    if (reason == ExitReason::Link || reason == ExitReason::State)
      mov(rax, ptr[rdx + static_cast<int>(offsetof(Link, pc))]);
    mov(hart_field(offset_of(&Hart::pc)), rax);
    if (reason == ExitReason::Link || reason == ExitReason::Rest || reason == ExitReason::State)
      mov(hart_field(offset_of(&Hart::exit_detail)), rdx);
    mov(hart_field8(offset_of(&Hart::exit_reason)), static_cast<std::uint8_t>(reason));
    store_pinned();
    flush_counters();
    emit_return();
    return start;
  }

  const std::uint8_t* emit_scatter(unsigned bytes) {
    const std::uint8_t* const start = here();
    constexpr int kOffsets = -128, kData = -64;  // below the stack: nothing is called from here
    Label next, done;
    vmovdqu64(zword[rsp + kOffsets], zmm12);
    vmovdqu64(zword[rsp + kData], zmm14);
    vmovq(xmm14, rbx);
    test(eax, eax);
    jz(done);
    L(next);
    tzcnt(edx, eax);
    mov(ebx, dword[rsp + rdx * 4 + kData]);
    movsxd(rdx, dword[rsp + rdx * 4 + kOffsets]);
    if (memory_base() == MemoryBase::Register) add(rdx, r14);
    guest_segment();
    if (bytes == 1) mov(byte[rcx + rdx], bl);
    else mov(word[rcx + rdx], bx);
    blsr(eax, eax);
    jnz(next);
    L(done);
    vmovq(rbx, xmm14);
    ret();
    return start;
  }

  const std::uint8_t* emit_call() {
    const std::uint8_t* const start = here();
    Label outcome;
    store_pinned();
    flush_counters();
    if (level() != HostLevel::Portable) vzeroupper();
    lea(rdi, ptr[rbp - kHartBias]);
    mov(rsi, rax);
    if (counters_ != nullptr) {
      mov(rdx, reinterpret_cast<std::uint64_t>(counters_));
      mov(rax, reinterpret_cast<std::uint64_t>(&count_and_run_semantics));
    } else {
      mov(rax, reinterpret_cast<std::uint64_t>(&run_semantics));
    }
    push(rsi);
    call(rax);
    pop(rdx);
    test(rax, rax);
    js(outcome, T_NEAR);
    sub(r15, rax);
    load_pinned();
    clear_counters();
    ret();
    L(outcome);
    add(rsp, 8);  // the return address
    emit_return();
    return start;
  }

  ExecutionCounters* counters_;
};

}  // namespace

Thunks emit_thunks(CodeCache& cache, HostLevel level, MemoryBase base,
                   ExecutionCounters* counters) {
  return ThunkEmitter(cache, level, base, counters).emit();
}

}  // namespace d1::emulator
