// SPDX-License-Identifier: Apache-2.0
// Zba, Zbb and Zbs.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

bool RegionEmitter::emit_bits(const Operation& operation) {
  using I = InstructionId;
  const bool modern = level() != HostLevel::Portable;  // lzcnt, tzcnt, popcnt, BMI
  switch (operation.id) {
    case I::sh1add: case I::sh2add: case I::sh3add: case I::add_uw: case I::sh1add_uw:
    case I::sh2add_uw: case I::sh3add_uw: case I::slli_uw: case I::andn: case I::orn:
    case I::xnor: case I::min: case I::minu: case I::max: case I::maxu: case I::rol: case I::ror:
    case I::rolw: case I::rorw: case I::rori: case I::roriw: case I::sext_b: case I::sext_h:
    case I::zext_h: case I::rev8: case I::bclr: case I::bext: case I::binv: case I::bset:
    case I::bclri: case I::bexti: case I::binvi: case I::bseti: case I::orc_b:
      break;
    case I::clz: case I::ctz: case I::cpop: case I::clzw: case I::ctzw: case I::cpopw:
      if (!modern) return false;
      break;
    default: return false;
  }
  if (operation.rd == 0) return true;
  const Reg64 to = result(operation.rd);
  // rd = (rs1 << n) + rs2; rs1 perhaps of 32 bits.
  const auto shifted_add = [&](int factor, bool unsigned_word) {
    Reg64 index = rax;
    if (unsigned_word) mov(eax, read(operation.rs1, rax).cvt32());
    else index = read(operation.rs1, rax);
    lea(to, ptr[read(operation.rs2, rcx) + index * factor]);
    write(operation.rd, to);
  };
  const auto pick = [&](void (RegionEmitter::*move_if)(const Xbyak::Reg&, const Xbyak::Operand&)) {
    load(rax, operation.rs1);
    const Reg64 other = read(operation.rs2, rcx);
    cmp(rax, other);
    (this->*move_if)(rax, other);
    write(operation.rd, rax);
  };
  const auto invert_second = [&](FunctionReference<void()> combine) {  // rax with ~rs2 in rcx
    load(rcx, operation.rs2);
    not_(rcx);
    load(rax, operation.rs1);
    combine();
    write(operation.rd, rax);
  };
  const auto bit = [&](bool with_immediate, FunctionReference<void()> change) {  // rcx: which
    if (with_immediate) mov(ecx, static_cast<std::uint32_t>(operation.immediate & 63));
    else load(rcx, operation.rs2);
    load(rax, operation.rs1);
    change();
    write(operation.rd, rax);
  };
  const auto unary = [&](FunctionReference<void(const Reg64&)> emit) {  // rax from rs1
    emit(read(operation.rs1, rcx));
    write(operation.rd, rax);
  };
  const auto extract = [&] {
    bt(rax, rcx);
    setc(al);
    movzx(eax, al);
  };
  switch (operation.id) {
    case I::sh1add: shifted_add(2, false); break;
    case I::sh2add: shifted_add(4, false); break;
    case I::sh3add: shifted_add(8, false); break;
    case I::add_uw: shifted_add(1, true); break;
    case I::sh1add_uw: shifted_add(2, true); break;
    case I::sh2add_uw: shifted_add(4, true); break;
    case I::sh3add_uw: shifted_add(8, true); break;
    case I::slli_uw:
      mov(eax, read(operation.rs1, rax).cvt32());
      shl(rax, static_cast<int>(operation.immediate & 63));
      write(operation.rd, rax);
      break;
    case I::andn:
      if (modern) {
        andn(to, read(operation.rs2, rcx), read(operation.rs1, rax));
        write(operation.rd, to);
      } else {
        invert_second([&] { and_(rax, rcx); });
      }
      break;
    case I::orn: invert_second([&] { or_(rax, rcx); }); break;
    case I::xnor: invert_second([&] { xor_(rax, rcx); }); break;
    case I::min: pick(&RegionEmitter::cmovg); break;
    case I::minu: pick(&RegionEmitter::cmova); break;
    case I::max: pick(&RegionEmitter::cmovl); break;
    case I::maxu: pick(&RegionEmitter::cmovb); break;
    case I::rol: shift(operation, Shift::RotateLeft, Width::Double); break;
    case I::ror: shift(operation, Shift::RotateRight, Width::Double); break;
    case I::rolw: shift(operation, Shift::RotateLeft, Width::Word); break;
    case I::rorw: shift(operation, Shift::RotateRight, Width::Word); break;
    case I::rori: shift_immediate(operation, Shift::RotateRight, Width::Double); break;
    case I::roriw: shift_immediate(operation, Shift::RotateRight, Width::Word); break;
    case I::clz: unary([&](const Reg64& from) { lzcnt(rax, from); }); break;
    case I::ctz: unary([&](const Reg64& from) { tzcnt(rax, from); }); break;
    case I::cpop: unary([&](const Reg64& from) { popcnt(rax, from); }); break;
    case I::clzw: unary([&](const Reg64& from) { lzcnt(eax, from.cvt32()); }); break;
    case I::ctzw: unary([&](const Reg64& from) { tzcnt(eax, from.cvt32()); }); break;
    case I::cpopw: unary([&](const Reg64& from) { popcnt(eax, from.cvt32()); }); break;
    case I::sext_b: unary([&](const Reg64& from) { movsx(rax, from.cvt8()); }); break;
    case I::sext_h: unary([&](const Reg64& from) { movsx(rax, from.cvt16()); }); break;
    case I::zext_h: unary([&](const Reg64& from) { movzx(eax, from.cvt16()); }); break;
    case I::rev8:
      load(rax, operation.rs1);
      bswap(rax);
      write(operation.rd, rax);
      break;
    case I::orc_b: {  // bit 7 of each byte that is not zero; from there on, bytes of ones
      constexpr std::uint64_t kBelowBit7 = 0x7f7f7f7f'7f7f7f7f;
      load(rax, operation.rs1);
      mov(rcx, kBelowBit7);
      mov(rdx, rax);
      and_(rdx, rcx);
      add(rdx, rcx);
      or_(rdx, rax);
      not_(rcx);
      and_(rdx, rcx);
      lea(rax, ptr[rdx + rdx]);
      shr(rdx, 7);
      sub(rax, rdx);
      write(operation.rd, rax);
      break;
    }
    case I::bclr: bit(false, [&] { btr(rax, rcx); }); break;
    case I::bclri: bit(true, [&] { btr(rax, rcx); }); break;
    case I::binv: bit(false, [&] { btc(rax, rcx); }); break;
    case I::binvi: bit(true, [&] { btc(rax, rcx); }); break;
    case I::bset: bit(false, [&] { bts(rax, rcx); }); break;
    case I::bseti: bit(true, [&] { bts(rax, rcx); }); break;
    case I::bext: bit(false, extract); break;
    default: bit(true, extract); break;
  }
  return true;
}

}  // namespace d1::emulator
