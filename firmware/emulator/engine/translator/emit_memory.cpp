// SPDX-License-Identifier: Apache-2.0
// Scalar loads and stores: one compare and one host access in the hart's window, the semantics
// function for everything else. No reservation is held while translated code runs.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

RegionEmitter::Reg64 RegionEmitter::checked_address(const Operation& operation, unsigned bytes,
                                                    Label& slow) {
  // Vector accesses have no offset.
  const int immediate = is_vector(operation.id) ? 0 : static_cast<int>(operation.immediate);
  const Reg64 base = read(operation.rs1, rcx);
  const std::uint64_t last = target_.window_bytes - bytes;  // offset of the last one that fits
  const std::int64_t shift = immediate - static_cast<std::int64_t>(target_.window_base);
  if (shift == static_cast<std::int32_t>(shift)) {
    lea(rax, ptr[base + static_cast<int>(shift)]);
  } else {
    mov(rax, -target_.window_base);
    lea(rax, ptr[rax + base + immediate]);
  }
  if (last <= 0x7fffffff) {
    cmp(rax, static_cast<std::uint32_t>(last));
  } else {
    mov(rdx, last);
    cmp(rax, rdx);
  }
  ja(slow, T_NEAR);
  return base;
}

void RegionEmitter::slow_path(const Operation& operation, Label& slow, Label& back) {
  slow_path(make_site(operation), slow, back);
}

void RegionEmitter::slow_path(Site& site, Label& slow, Label& back) {
  // Copies of labels stand for the same place.
  out_of_line([this, &site, slow, back, sums = sums_before_, forms = forms_]() mutable {
    L(slow);
    flush_kept(sums);
    mov(rax, reinterpret_cast<std::uint64_t>(&site));
    call(as_written(target_.thunks.call_semantics));
    reload_kept();
    restore_forms(forms);
    jmp(back, T_NEAR);
  });
}

bool RegionEmitter::emit_memory(const Operation& operation) {
  using I = InstructionId;
  unsigned bytes = 0;
  bool store = false;
  switch (operation.id) {
    case I::sb: store = true; [[fallthrough]];
    case I::lb: case I::lbu: bytes = 1; break;
    case I::sh: store = true; [[fallthrough]];
    case I::lh: case I::lhu: bytes = 2; break;
    case I::sw: store = true; [[fallthrough]];
    case I::lw: case I::lwu: bytes = 4; break;
    case I::sd: store = true; [[fallthrough]];
    case I::ld: bytes = 8; break;
    default: return false;
  }
  Label slow, back;
  // A value in memory goes through rdx, which the check may need first.
  const Reg64 base = checked_address(operation, bytes, slow);
  const Xbyak::RegExp place = base + static_cast<int>(operation.immediate);
  if (store) {
    const Reg64 value = read(operation.rs2, rdx);
    guest_segment();
    switch (bytes) {
      case 1: mov(byte[place], value.cvt8()); break;
      case 2: mov(word[place], value.cvt16()); break;
      case 4: mov(dword[place], value.cvt32()); break;
      default: mov(qword[place], value); break;
    }
  } else {
    const Reg64 to = operation.rd == 0 ? rax : result(operation.rd);
    guest_segment();
    switch (operation.id) {
      case I::lb: movsx(to, byte[place]); break;
      case I::lbu: movzx(to.cvt32(), byte[place]); break;
      case I::lh: movsx(to, word[place]); break;
      case I::lhu: movzx(to.cvt32(), word[place]); break;
      case I::lw: movsxd(to, dword[place]); break;
      case I::lwu: mov(to.cvt32(), dword[place]); break;
      default: mov(to, qword[place]); break;
    }
    write(operation.rd, to);
  }
  L(back);
  slow_path(operation, slow, back);
  return true;
}

}  // namespace d1::emulator
