// SPDX-License-Identifier: Apache-2.0
// M and Zicond.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

// The host traps where RISC-V defines a result: on zero, and on the quotient that does not fit.
void RegionEmitter::divide(const Operation& operation, Division part, bool is_signed,
                           Width width) {
  const bool narrow = width == Width::Word;
  Label by_zero, by_minus_one, done;
  load(rcx, operation.rs2);
  load(rax, operation.rs1);
  const Xbyak::Reg divisor = narrow ? Xbyak::Reg(ecx) : Xbyak::Reg(rcx);
  const Xbyak::Reg dividend = narrow ? Xbyak::Reg(eax) : Xbyak::Reg(rax);
  test(divisor, divisor);
  jz(by_zero);
  if (is_signed) {
    cmp(divisor, -1);
    je(by_minus_one);
    if (narrow) cdq();
    else cqo();
    idiv(divisor);
  } else {
    xor_(edx, edx);
    div(divisor);
  }
  if (part == Division::Remainder) mov(rax, rdx);
  jmp(done);
  L(by_zero);
  if (part == Division::Quotient) mov(rax, -1);
  if (is_signed) {
    jmp(done);
    L(by_minus_one);
    if (part == Division::Quotient) neg(dividend);
    else xor_(eax, eax);
  }
  L(done);
  if (narrow) movsxd(rax, eax);
  write(operation.rd, rax);
}

bool RegionEmitter::emit_multiply(const Operation& operation) {
  using I = InstructionId;
  const auto high = [&](bool is_signed) {
    load(rax, operation.rs1);
    const Reg64 by = read(operation.rs2, rcx);
    if (is_signed) imul(by);
    else mul(by);
    write(operation.rd, rdx);
  };
  // rd = rs1 unless rs2 is (not) zero, then 0.
  const auto zero_if = [&](bool zero) {
    const Reg64 condition = read(operation.rs2, rcx);
    load(rdx, operation.rs1);
    xor_(eax, eax);
    test(condition, condition);
    if (zero) cmovne(rax, rdx);
    else cmove(rax, rdx);
    write(operation.rd, rax);
  };
  switch (operation.id) {
    case I::mul: case I::mulh: case I::mulhu: case I::mulw: case I::div: case I::divu:
    case I::rem: case I::remu: case I::divw: case I::divuw: case I::remw: case I::remuw:
    case I::czero_eqz: case I::czero_nez:
      break;
    default: return false;  // mulhsu too: nobody uses it
  }
  if (operation.rd == 0) return true;
  switch (operation.id) {
    case I::mul: {
      const bool swap = operation.rd == operation.rs2;
      const Reg64 to = result(operation.rd);
      load(to, swap ? operation.rs2 : operation.rs1);
      imul(to, read(swap ? operation.rs1 : operation.rs2, rcx));
      write(operation.rd, to);
      break;
    }
    case I::mulh: high(true); break;
    case I::mulhu: high(false); break;
    case I::mulw:
      binary_word(operation, [&](const Reg32& d, const Xbyak::Operand& o) { imul(d, o); });
      break;
    case I::div: divide(operation, Division::Quotient, true, Width::Double); break;
    case I::divu: divide(operation, Division::Quotient, false, Width::Double); break;
    case I::rem: divide(operation, Division::Remainder, true, Width::Double); break;
    case I::remu: divide(operation, Division::Remainder, false, Width::Double); break;
    case I::divw: divide(operation, Division::Quotient, true, Width::Word); break;
    case I::divuw: divide(operation, Division::Quotient, false, Width::Word); break;
    case I::remw: divide(operation, Division::Remainder, true, Width::Word); break;
    case I::remuw: divide(operation, Division::Remainder, false, Width::Word); break;
    case I::czero_eqz: zero_if(true); break;
    default: zero_if(false); break;
  }
  return true;
}

}  // namespace d1::emulator
