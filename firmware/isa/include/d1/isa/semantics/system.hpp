// SPDX-License-Identifier: Apache-2.0
// Semantics of Zicsr, Zifencei, fences, calls of the environment and the privileged instructions.
// Contract of all semantics: semantics/common.hpp.
#pragma once

#include <d1/isa/csr.hpp>
#include <d1/isa/semantics/common.hpp>
#include <d1/isa/trap.hpp>

namespace d1::isa::exec {

enum class CsrChange : std::uint8_t { Write, Set, Clear };

// csrrw with rd = x0 does not read; csrrs and csrrc with a zero register number or immediate do not
// write (so they work on read-only registers). Whether a register may be written is checked by the
// write, and nothing has changed before it.
inline Outcome access_csr(Hart& hart, const Operation& operation, std::uint64_t operand,
                          CsrChange change) {
  const auto number = static_cast<unsigned>(operation.immediate);
  const bool reads = change != CsrChange::Write || operation.rd != 0;
  const bool writes = change == CsrChange::Write || operation.rs1 != 0;
  std::uint64_t old = 0;
  if (reads && !csr_read(hart, number, old)) return illegal(hart, operation);
  if (!writes) {
    set_x(hart, operation.rd, old);
    return Outcome::Next;
  }
  std::uint64_t value = operand;
  if (change == CsrChange::Set) value = old | operand;
  if (change == CsrChange::Clear) value = old & ~operand;
  if (!csr_write(hart, number, value)) return illegal(hart, operation);
  set_x(hart, operation.rd, old);
  if (csr_facts(number)->effect != Outcome::Sync) return Outcome::Next;
  hart.pc = operation.next_pc();
  return Outcome::Sync;
}

inline Outcome csrrw(Hart& hart, const Operation& operation) {
  return access_csr(hart, operation, hart.x[operation.rs1], CsrChange::Write);
}
inline Outcome csrrs(Hart& hart, const Operation& operation) {
  return access_csr(hart, operation, hart.x[operation.rs1], CsrChange::Set);
}
inline Outcome csrrc(Hart& hart, const Operation& operation) {
  return access_csr(hart, operation, hart.x[operation.rs1], CsrChange::Clear);
}
// The immediate forms hold their operand in the rs1 field.
inline Outcome csrrwi(Hart& hart, const Operation& operation) {
  return access_csr(hart, operation, operation.rs1, CsrChange::Write);
}
inline Outcome csrrsi(Hart& hart, const Operation& operation) {
  return access_csr(hart, operation, operation.rs1, CsrChange::Set);
}
inline Outcome csrrci(Hart& hart, const Operation& operation) {
  return access_csr(hart, operation, operation.rs1, CsrChange::Clear);
}

// Within the node every access is done when its instruction is; only puts and posts, which leave
// the node, wait to be ordered: those that a predecessor set with writes or outputs names.
inline Outcome fence(Hart& hart, const Operation& operation) {
  constexpr std::uint32_t kPredecessorWritesOrOutputs = 0x0500'0000;  // pred bits o and w
  if ((operation.full & kPredecessorWritesOrOutputs) == 0) return Outcome::Next;
  return hart.environment->fence(hart, operation);
}

// A hint that the hart spins; the engine may use it, the meaning is that of no operation.
inline Outcome pause(Hart&, const Operation&) { return Outcome::Next; }

inline Outcome fence_i(Hart& hart, const Operation& operation) {
  const Outcome outcome = hart.environment->fence_i(hart, operation);
  if (outcome != Outcome::Next && outcome != Outcome::Sync) return outcome;
  hart.pc = operation.next_pc();
  return Outcome::Sync;
}

inline Outcome ecall(Hart& hart, const Operation& operation) {
  return trap(hart, operation, Cause::EnvironmentCallM, 0);
}

inline Outcome ebreak(Hart& hart, const Operation& operation) {
  return trap(hart, operation, Cause::Breakpoint, operation.pc);
}

// A jump like any indirect one; the engine then looks for an interrupt that may be taken now.
inline Outcome mret(Hart& hart, const Operation&) {
  return_from_trap(hart);
  return Outcome::Jump;
}

// Done at once where an interrupt is pending and enabled in mie, taken or not.
inline Outcome wfi(Hart& hart, const Operation& operation) {
  if (pending_interrupt(hart)) return Outcome::Next;
  return hart.environment->wait_for_interrupt(hart, operation);
}

}  // namespace d1::isa::exec
