// SPDX-License-Identifier: Apache-2.0
// The rounding mode, frm, as compilers set it for a few instructions and put it back: it is what
// MXCSR rounds by. Translated code that runs has that in step already (kFloatReady), and keeps it.
// No interrupt is due behind such an access: any that was pending was taken at the turn's begin.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

namespace {

constexpr std::int64_t kFrm = 0x002;
constexpr std::uint32_t kModes = 7, kMostHostMode = 3;  // nearest, zero, down, up
constexpr std::uint32_t kRounding = 0x6000;             // of MXCSR
// MXCSR's modes by the guest's: two bits each.
constexpr std::uint32_t kHostModes = 0b10'01'11'00;

}  // namespace

bool accesses_rounding_mode(const Operation& operation) noexcept {
  if (operation.immediate != kFrm) return false;
  switch (operation.id) {
    case InstructionId::csrrwi: return (operation.rs1 & kModes) <= kMostHostMode;
    case InstructionId::csrrw: return true;
    case InstructionId::csrrs: return operation.rs1 == 0;
    default: return false;
  }
}

bool RegionEmitter::emit_rounding_mode(const Operation& operation) {
  if (!accesses_rounding_mode(operation)) return false;
  const Xbyak::Address frm = hart_field8(offset_of(&isa::Hart::frm));
  const bool writes = operation.id != InstructionId::csrrs;
  Label other;
  if (operation.id == InstructionId::csrrw) {
    load(rcx, operation.rs1);
    and_(ecx, kModes);
    cmp(ecx, kMostHostMode);
    ja(other, T_NEAR);
    rest_path(operation, other);
  } else if (writes) {
    mov(ecx, operation.rs1 & kModes);
  }
  if (operation.rd != 0) {
    movzx(eax, frm);
    write(operation.rd, rax);
  }
  relies_on_ |= kFloatReady;
  if (!writes) return true;
  mov(frm, cl);
  lea(eax, ptr[rcx + 1]);
  mov(hart_field8(offset_of(&isa::Hart::float_rounding)), al);
  add(ecx, ecx);
  mov(eax, kHostModes);
  shr(eax, cl);
  and_(eax, kMostHostMode);
  shl(eax, 13);
  const Xbyak::Address control = dword[rsp - 8];
  stmxcsr(control);
  mov(ecx, control);
  and_(ecx, ~kRounding);
  or_(ecx, eax);
  mov(control, ecx);
  ldmxcsr(control);
  return true;
}

}  // namespace d1::emulator
