// SPDX-License-Identifier: Apache-2.0
// Integer registers in host registers, and RV64I's arithmetic.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

void RegionEmitter::load(const Reg64& to, unsigned guest) {
  if (guest == 0) xor_(to.cvt32(), to.cvt32());
  else if (const int host = pinned(guest); host < 0) mov(to, x_in_memory(guest));
  else if (host != to.getIdx()) mov(to, Reg64(host));
}

RegionEmitter::Reg64 RegionEmitter::read(unsigned guest, const Reg64& scratch) {
  if (const int host = pinned(guest); host >= 0) return Reg64(host);
  load(scratch, guest);
  return scratch;
}

const Xbyak::Operand& RegionEmitter::operand(unsigned guest) {
  static const std::array<Reg64, 16> registers = [] {
    std::array<Reg64, 16> all;
    for (int i = 0; i < 16; ++i) all[static_cast<std::size_t>(i)] = Reg64(i);
    return all;
  }();
  if (const int host = pinned(guest); host >= 0) return registers[static_cast<std::size_t>(host)];
  memory_operand_ = x_in_memory(guest);
  return memory_operand_;
}

RegionEmitter::Reg64 RegionEmitter::result(unsigned guest) const {
  const int host = pinned(guest);
  return host >= 0 ? Reg64(host) : rax;
}

void RegionEmitter::write(unsigned guest, const Reg64& from) {
  const int host = pinned(guest);
  if (guest == 0) return;
  if (host < 0) mov(x_in_memory(guest), from);
  else if (host != from.getIdx()) mov(Reg64(host), from);
}

void RegionEmitter::move(unsigned to, unsigned from) {
  const Reg64 place = result(to);
  if (pinned(to) >= 0) load(place, from);
  else write(to, read(from, place));
}

// rd = rs1 op rs2; `emit` does d = d op operand.
void RegionEmitter::binary(const Operation& operation, Order order, const Binary& emit) {
  const Reg64 to = result(operation.rd);
  const bool second_in_place = operation.rs2 != 0 && pinned(operation.rs2) == to.getIdx();
  if (operation.rd == operation.rs1 && pinned(operation.rd) < 0 && pinned(operation.rs2) >= 0)
    return emit(x_in_memory(operation.rd), operand(operation.rs2));
  if (operation.rs2 == 0) {
    xor_(ecx, ecx);
    load(to, operation.rs1);
    emit(to, rcx);
  } else if (!second_in_place || operation.rs1 == operation.rs2) {
    load(to, operation.rs1);
    emit(to, operand(operation.rs2));
  } else if (order == Order::Commutes && operation.rs1 != 0) {
    emit(to, operand(operation.rs1));
  } else {
    load(rax, operation.rs1);
    emit(rax, to);
    mov(to, rax);
  }
  write(operation.rd, to);
}

// The same on 32 bits, the result sign-extended.
void RegionEmitter::binary_word(const Operation& operation, const BinaryWord& emit) {
  const unsigned second = operation.rs2;
  load(rax, operation.rs1);
  if (second == 0) {
    xor_(ecx, ecx);
    emit(eax, ecx);
  } else if (const int host = pinned(second); host >= 0) {
    emit(eax, Reg32(host));
  } else {
    emit(eax, dword[x_in_memory(second).getRegExp()]);
  }
  const Reg64 to = result(operation.rd);
  movsxd(to, eax);
  write(operation.rd, to);
}

// rd = rs1 op immediate; `emit` does d = d op immediate.
void RegionEmitter::immediate(const Operation& operation,
                              const FunctionReference<void(const Reg64&)>& emit) {
  const Reg64 to = result(operation.rd);
  load(to, operation.rs1);
  emit(to);
  write(operation.rd, to);
}

void RegionEmitter::shift(const Operation& operation, Shift kind, Width width) {
  if (level() != HostLevel::Portable && kind <= Shift::RightSigned) {  // BMI2
    const Reg64 count = read(operation.rs2, rcx), from = read(operation.rs1, rax);
    const Reg64 to = result(operation.rd);
    const auto of = [width](const Reg64& whole) {
      return width == Width::Word ? Xbyak::Reg32e(whole.cvt32()) : Xbyak::Reg32e(whole);
    };
    const Xbyak::Reg32e into = width == Width::Word ? Xbyak::Reg32e(eax) : Xbyak::Reg32e(to);
    switch (kind) {
      case Shift::Left: shlx(into, of(from), of(count)); break;
      case Shift::RightUnsigned: shrx(into, of(from), of(count)); break;
      default: sarx(into, of(from), of(count)); break;
    }
    if (width == Width::Word) movsxd(to, eax);
    return write(operation.rd, to);
  }
  // The hardware takes the low 6 or 5 bits of the count, as RISC-V does.
  load(rcx, operation.rs2);
  load(rax, operation.rs1);
  const Xbyak::Reg what = width == Width::Word ? Xbyak::Reg(eax) : Xbyak::Reg(rax);
  switch (kind) {
    case Shift::Left: shl(what, cl); break;
    case Shift::RightUnsigned: shr(what, cl); break;
    case Shift::RightSigned: sar(what, cl); break;
    case Shift::RotateLeft: rol(what, cl); break;
    case Shift::RotateRight: ror(what, cl); break;
  }
  if (width == Width::Word) movsxd(rax, eax);
  write(operation.rd, rax);
}

void RegionEmitter::shift_immediate(const Operation& operation, Shift kind, Width width) {
  const auto count = static_cast<int>(operation.immediate & (width == Width::Word ? 31 : 63));
  if (kind == Shift::RotateRight && level() != HostLevel::Portable) {  // BMI2
    const Reg64 rotated = result(operation.rd);
    if (width == Width::Double) {
      rorx(rotated, read(operation.rs1, rax), static_cast<std::uint8_t>(count));
    } else {
      rorx(eax, read(operation.rs1, rax).cvt32(), static_cast<std::uint8_t>(count));
      movsxd(rotated, eax);
    }
    return write(operation.rd, rotated);
  }
  const Reg64 to = width == Width::Word ? rax : result(operation.rd);
  load(to, operation.rs1);
  const Xbyak::Reg what = width == Width::Word ? Xbyak::Reg(eax) : Xbyak::Reg(to);
  switch (kind) {
    case Shift::Left: shl(what, count); break;
    case Shift::RightUnsigned: shr(what, count); break;
    case Shift::RightSigned: sar(what, count); break;
    case Shift::RotateLeft: rol(what, count); break;
    case Shift::RotateRight: ror(what, count); break;
  }
  if (width == Width::Word) {
    const Reg64 extended = result(operation.rd);
    movsxd(extended, eax);
    write(operation.rd, extended);
    return;
  }
  write(operation.rd, to);
}

void RegionEmitter::set_if(const Operation& operation, bool is_signed, bool with_immediate) {
  const Reg64 left = read(operation.rs1, rcx);
  xor_(eax, eax);
  if (with_immediate) cmp(left, static_cast<std::uint32_t>(operation.immediate));
  else if (operation.rs2 == 0) cmp(left, 0);
  else cmp(left, operand(operation.rs2));
  if (is_signed) setl(al);
  else setb(al);
  write(operation.rd, rax);
}

bool RegionEmitter::emit_integer(const Operation& operation) {
  using I = InstructionId;
  const auto imm = static_cast<std::uint32_t>(operation.immediate);
  switch (operation.id) {
    case I::lui: case I::auipc: case I::addi: case I::slti: case I::sltiu: case I::xori:
    case I::ori: case I::andi: case I::slli: case I::srli: case I::srai: case I::addiw:
    case I::slliw: case I::srliw: case I::sraiw: case I::add: case I::sub: case I::sll:
    case I::slt: case I::sltu: case I::xor_: case I::srl: case I::sra: case I::or_: case I::and_:
    case I::addw: case I::subw: case I::sllw: case I::srlw: case I::sraw: case I::pause:
      break;
    default: return false;
  }
  if (operation.rd == 0) return true;  // nothing to do, and nothing that could go wrong
  const auto constant = [&](std::uint64_t value) {
    const Reg64 to = result(operation.rd);
    if (value == 0) xor_(to.cvt32(), to.cvt32());
    else mov(to, value);
    write(operation.rd, to);
  };
  switch (operation.id) {
    case I::lui: constant(static_cast<std::uint64_t>(operation.immediate)); break;
    case I::auipc:
      constant(operation.pc + static_cast<std::uint64_t>(operation.immediate));
      break;
    case I::addi:
      if (operation.rs1 == 0) {
        constant(static_cast<std::uint64_t>(operation.immediate));
      } else if (pinned(operation.rd) >= 0 && pinned(operation.rs1) >= 0 &&
                 operation.rd != operation.rs1 && imm != 0) {
        lea(Reg64(pinned(operation.rd)),
            ptr[Reg64(pinned(operation.rs1)) + static_cast<int>(operation.immediate)]);
      } else if (operation.rd == operation.rs1 && pinned(operation.rd) < 0) {
        add(operand(operation.rd), imm);
      } else {
        immediate(operation, [&](const Reg64& d) { if (imm != 0) add(d, imm); });
      }
      break;
    case I::slti: set_if(operation, true, true); break;
    case I::sltiu: set_if(operation, false, true); break;
    case I::xori: immediate(operation, [&](const Reg64& d) { xor_(d, imm); }); break;
    case I::ori: immediate(operation, [&](const Reg64& d) { or_(d, imm); }); break;
    case I::andi: immediate(operation, [&](const Reg64& d) { and_(d, imm); }); break;
    case I::slli: shift_immediate(operation, Shift::Left, Width::Double); break;
    case I::srli: shift_immediate(operation, Shift::RightUnsigned, Width::Double); break;
    case I::srai: shift_immediate(operation, Shift::RightSigned, Width::Double); break;
    case I::addiw: {
      const Reg64 to = result(operation.rd);
      if (imm == 0 && pinned(operation.rs1) >= 0) {
        movsxd(to, Reg32(pinned(operation.rs1)));
      } else {
        load(rax, operation.rs1);
        if (imm != 0) add(eax, imm);
        movsxd(to, eax);
      }
      write(operation.rd, to);
      break;
    }
    case I::slliw: shift_immediate(operation, Shift::Left, Width::Word); break;
    case I::srliw: shift_immediate(operation, Shift::RightUnsigned, Width::Word); break;
    case I::sraiw: shift_immediate(operation, Shift::RightSigned, Width::Word); break;
    case I::add: case I::or_: case I::xor_:
      // With x0 a move, as compilers spell it.
      if (operation.rs1 == 0 || operation.rs2 == 0) {
        move(operation.rd, operation.rs1 | operation.rs2);
        break;
      }
      if (operation.id == I::or_)
        binary(operation, Order::Commutes,
               [&](const Xbyak::Operand& d, const Xbyak::Operand& o) { or_(d, o); });
      else if (operation.id == I::xor_)
        binary(operation, Order::Commutes,
               [&](const Xbyak::Operand& d, const Xbyak::Operand& o) { xor_(d, o); });
      else if (pinned(operation.rd) >= 0 && pinned(operation.rs1) >= 0 &&
               pinned(operation.rs2) >= 0 && operation.rd != operation.rs1 &&
               operation.rd != operation.rs2)
        lea(Reg64(pinned(operation.rd)),
            ptr[Reg64(pinned(operation.rs1)) + Reg64(pinned(operation.rs2))]);
      else
        binary(operation, Order::Commutes,
               [&](const Xbyak::Operand& d, const Xbyak::Operand& o) { add(d, o); });
      break;
    case I::sub:
      binary(operation, Order::Matters,
             [&](const Xbyak::Operand& d, const Xbyak::Operand& o) { sub(d, o); });
      break;
    case I::sll: shift(operation, Shift::Left, Width::Double); break;
    case I::slt: set_if(operation, true, false); break;
    case I::sltu: set_if(operation, false, false); break;
    case I::srl: shift(operation, Shift::RightUnsigned, Width::Double); break;
    case I::sra: shift(operation, Shift::RightSigned, Width::Double); break;
    case I::and_:
      binary(operation, Order::Commutes,
             [&](const Xbyak::Operand& d, const Xbyak::Operand& o) { and_(d, o); });
      break;
    case I::addw:
      binary_word(operation, [&](const Reg32& d, const Xbyak::Operand& o) { add(d, o); });
      break;
    case I::subw:
      binary_word(operation, [&](const Reg32& d, const Xbyak::Operand& o) { sub(d, o); });
      break;
    case I::sllw: shift(operation, Shift::Left, Width::Word); break;
    case I::srlw: shift(operation, Shift::RightUnsigned, Width::Word); break;
    case I::sraw: shift(operation, Shift::RightSigned, Width::Word); break;
    default: break;  // pause
  }
  return true;
}

}  // namespace d1::emulator
