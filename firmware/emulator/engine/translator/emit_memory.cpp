// SPDX-License-Identifier: Apache-2.0
// Scalar loads and stores: one compare and one host access in the hart's window, the semantics
// function for everything else. No reservation is held while translated code runs.
#include <algorithm>

#include "engine/block_run.hpp"
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

const AccessPlan& RegionEmitter::plan_of(const Block& block) {
  auto place = plans_.find(&block);
  if (place == plans_.end())
    place = plans_.emplace(&block, plan_accesses(block, level(), target_.window_base,
                                                 target_.window_bytes, memory_)).first;
  return place->second;
}

AccessPlan::Access RegionEmitter::access_of(const Operation& operation) const {
  const auto index = static_cast<std::size_t>(&operation - block_->operations.data());
  return (loop_.hoisted ? plan_->loop_accesses : plan_->accesses)[index];
}

void RegionEmitter::check_range(const Reg64& base, std::int64_t low, std::int64_t end,
                                Label& outside) {
  const auto bytes = static_cast<std::uint64_t>(end - low);
  const std::uint64_t last = target_.window_bytes - bytes;  // offset of the last place that fits
  const std::int64_t shift = low - static_cast<std::int64_t>(target_.window_base);
  if (shift == static_cast<std::int32_t>(shift)) {
    lea(rax, ptr[base + static_cast<int>(shift)]);
  } else {
    mov(rax, shift);
    add(rax, base);
  }
  if (last <= 0x7fffffff) {
    cmp(rax, static_cast<std::uint32_t>(last));
  } else {
    mov(rdx, last);
    cmp(rax, rdx);
  }
  ja(outside, T_NEAR);
}

RegionEmitter::Reg64 RegionEmitter::checked_address(const Operation& operation, unsigned bytes,
                                                    Label& slow) {
  const Reg64 base = read(operation.rs1, rcx);
  const AccessPlan::Access access = access_of(operation);
  // Vector accesses have no offset.
  const std::int64_t low = is_vector(operation.id) ? 0 : operation.immediate;
  switch (access.check) {
    case AccessPlan::Check::Own: check_range(base, low, low + bytes, slow); break;
    case AccessPlan::Check::Group: check_range(base, access.low, access.end, slow); break;
    case AccessPlan::Check::Covered: break;
  }
  return base;
}

void RegionEmitter::finish_access(const Operation& operation, Label& slow, Label& back) {
  L(back);
  switch (access_of(operation).check) {
    case AccessPlan::Check::Own: slow_path(operation, slow, back); break;
    case AccessPlan::Check::Group: rest_path(operation, slow); break;
    case AccessPlan::Check::Covered: break;
  }
}

void RegionEmitter::slow_path(const Operation& operation, Label& slow, Label& back) {
  slow_path(make_site(operation), slow, back);
}

void RegionEmitter::rest_path(const Operation& operation, Label& rest) {
  Site& site = make_site(operation);
  out_of_line([this, &site, rest, sums = sums_before_, pending = pending_before_,
               loop = loop_]() mutable {
    L(rest);
    call_settle(pending);
    flush_kept(sums);
    take_back_rounds(loop);
    leave_rest(site);
  });
}

void RegionEmitter::leave_rest(const Site& site) {
  mov(rax, site.operation->pc);
  mov(rdx, reinterpret_cast<std::uint64_t>(&site));
  jmp(as_written(target_.thunks.leave_rest), T_NEAR);
}

void RegionEmitter::slow_path(Site& site, Label& slow, Label& back,
                              std::optional<Xbyak::Xmm> overwritten) {
  // Copies of labels stand for the same place.
  if (!overwritten && !pending_before_.any() && loop_.counted == nullptr &&
      matrix_.sums.all_kept() == 0) {
    return out_of_line([this, &site, slow, back] {
      L(slow);
      site.back = executable(back);
      mov(rax, reinterpret_cast<std::uint64_t>(&site));
      jmp(slow_call_, T_NEAR);
      any_slow_call_ = true;
    });
  }
  out_of_line([this, &site, slow, back, sums = sums_before_, forms = forms_,
               pending = pending_before_, loop = loop_, overwritten]() mutable {
    L(slow);
    if (overwritten) vmovaps(*overwritten, xmm14);
    call_settle(pending);
    flush_kept(sums);
    take_back_rounds(loop);
    mov(rax, reinterpret_cast<std::uint64_t>(&site));
    call(as_written(target_.thunks.call_semantics));
    reload_kept();
    add_rounds(loop);
    restore_forms(forms);
    jmp(back, T_NEAR);
  });
}

// What slow paths have in common that need nothing else.
void RegionEmitter::emit_slow_call() {
  L(slow_call_);
  flush_kept();
  call(as_written(target_.thunks.call_semantics));
  mov(rcx, ptr[rdx + static_cast<int>(offsetof(Site, back))]);
  reload_kept();
  jmp(rcx);
}

bool RegionEmitter::emit_memory(const Operation& operation) {
  using I = InstructionId;
  const unsigned bytes = scalar_access_bytes(operation.id);
  if (bytes == 0) return false;
  bool store = false;
  switch (operation.id) {
    case I::sb: case I::sh: case I::sw: case I::sd: store = true; break;
    case I::flw: case I::fld: case I::fsw: case I::fsd: return false;
    default: break;
  }
  Label slow, back;
  // A value in memory goes through rdx, which the check may need first.
  const Reg64 base = checked_address(operation, bytes, slow);
  const Xbyak::RegExp place = place_in_guest(base + static_cast<int>(operation.immediate));
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
  finish_access(operation, slow, back);
  return true;
}

}  // namespace d1::emulator
