// SPDX-License-Identifier: Apache-2.0
// vset*. Where a register gives the length, code goes on for VLMAX. For less it is left, and the
// interpreter does the rest of the block until that has happened often enough for code of its own,
// made for any length: a region that begins at the vset*.
#include <cstring>

#include <d1/isa/semantics/vector.hpp>

#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

bool RegionEmitter::emit_configuration(const Operation& operation) {
  if (operation.id != InstructionId::vsetvli && operation.id != InstructionId::vsetivli)
    return false;
  const VectorState after = state_after(operation, state_, Length::Most);
  if (!after.known) return false;
  relies_on_ |= kVectorReady;
  if (!takes_length_from_register(operation)) {
    set_type(operation);
    // Otherwise vl stays as it is.
    if (after.length != kAnyLength) set_length(operation, static_cast<unsigned>(after.length));
    return true;
  }
  const Reg64 wanted = read(operation.rs1, rcx);
  if (any_length_) {
    mov(edx, after.vlmax());
    cmp(wanted, rdx);
    if (wanted.getIdx() != rcx.getIdx()) mov(rcx, wanted);
    cmova(rcx, rdx);
    set_type(operation);
    set_any_length(operation);
    return true;
  }
  Label partial;
  cmp(wanted, after.vlmax());
  jb(partial, T_NEAR);
  leave_partial(operation, partial);
  set_type(operation);
  set_length(operation, after.vlmax());
  return true;
}

void RegionEmitter::set_type(const Operation& operation) {
  const unsigned ones = operation.id == InstructionId::vsetvli ? 0x7ff : 0x3ff;
  const isa::VectorType type = isa::decode_vtype(operation.full >> 20 & ones);
  const std::size_t place = offset_of(&isa::Hart::vtype);
  std::uint32_t packed;
  std::memcpy(&packed, &type, sizeof packed);
  mov(hart_field32(place), packed);
  mov(hart_field8(place + offsetof(isa::VectorType, ill)), 0);
}

void RegionEmitter::set_length(const Operation& operation, unsigned length) {
  mov(hart_field(offset_of(&isa::Hart::vl)), length);
  if (operation.rd == 0) return;
  const Reg64 to = result(operation.rd);
  mov(to, length);
  write(operation.rd, to);
}

void RegionEmitter::set_any_length(const Operation& operation) {
  mov(hart_field(offset_of(&isa::Hart::vl)), rcx);
  emit_length_mask(rcx);
  if (operation.rd != 0) write(operation.rd, rcx);
}

// Word i of the mask has max(0, length - 64 i) ones; shifts by more than 63 leave none.
void RegionEmitter::emit_length_mask(const Reg64& length) {
  const Zmm ones = zmm13, count = zmm14;
  vpbroadcastq(count, length);
  vpsubq(count, count, zword[rip + constant512({0, 64, 128, 192, 256, 320, 384, 448})]);
  vpxord(ones, ones, ones);
  vpmaxsq(count, count, ones);
  vpternlogd(ones, ones, ones, 0xff);
  vpsllvq(count, ones, count);
  vpxorq(count, count, ones);
  vmovdqa64(zword[rbp + hart_offset(length_mask_place())], count);
}

void RegionEmitter::leave_partial(const Operation& operation, Label& partial) {
  Site& site = make_site(operation);
  out_of_line([this, &site, partial, hoisted = loop_.hoisted, sums = sums_here_,
               pending = pending_]() mutable {
    L(partial);
    if (hoisted) add(r15, budget_put_by());
    call_settle(pending);
    if (rest_ != nullptr && rest_->operation == site.operation && rest_->charged == site.charged) {
      sums_here_ = sums;
      end_sums();
      jmp(rest_top_, T_NEAR);
      return;
    }
    flush_kept(sums);
    Link& link = emit_linked_jump();
    link.image = region_.image;
    site.link = &link;
    leave_rest(site);
  });
}

// What was checked, charged and put into its place before the vset* is as the code that was left
// for this one had it.
void RegionEmitter::emit_rest(const Site& site) {
  const Operation& operation = *site.operation;
  L(rest_top_);
  varying_ = site.charged;
  any_length_ = true;
  if (const Reg64 wanted = read(operation.rs1, rcx); wanted.getIdx() != rcx.getIdx())
    mov(rcx, wanted);
  set_type(operation);
  set_any_length(operation);
  state_ = state_after(operation, {}, Length::Any);
  emit_operations(static_cast<unsigned>(&operation - block_->operations.data()) + 1);
  any_length_ = false;
}

}  // namespace d1::emulator
