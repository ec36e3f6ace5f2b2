// SPDX-License-Identifier: Apache-2.0
// Vector registers in host registers, vset*, and unmasked loads, stores and moves of whole groups.
// A vector register is a zmm register, so all of this needs AVX-512. What is masked, or whose
// length is not the full one, is left to semantics functions.
#include <cstring>

#include <d1/isa/semantics/vector.hpp>

#include "engine/register_use.hpp"
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Zmm;

Xbyak::Address RegionEmitter::v_in_memory(unsigned guest) {
  mov(rdx, hart_field(offset_of(&isa::Hart::v)));
  return zword[rdx + static_cast<int>(guest * isa::kVlenBytes)];
}

Zmm RegionEmitter::read_vector(unsigned guest, int scratch) {
  vectors_.note(guest);
  if (const int host = vectors_.host(guest); host >= 0) return Zmm(host);
  const Zmm to(scratch);
  vmovdqa64(to, v_in_memory(guest));
  return to;
}

Zmm RegionEmitter::result_vector(unsigned guest) {
  vectors_.note(guest);
  vectors_.note_write(guest);
  const int host = vectors_.host(guest);
  return Zmm(host >= 0 ? host : kScratchVector);
}

void RegionEmitter::write_vector(unsigned guest, const Zmm& from) {
  vectors_.note_write(guest);
  if (const int host = vectors_.host(guest); host < 0) vmovdqa64(v_in_memory(guest), from);
  else if (host != from.getIdx()) vmovdqa64(Zmm(host), from);
}

bool RegionEmitter::group_aligned(unsigned guest, unsigned registers) noexcept {
  return (guest & (registers - 1)) == 0;
}

void RegionEmitter::note_vector(const Operation& operation) {
  relies_on_ |= kVectorReady;
  if (unit_cost(operation.id).scale != Scale::Fixed)
    add_varying_ticks(operation, state_.type(), state_.elements(), varying_);
}

// The code holds only if the region is entered in the right state, unless vset* alone decides.
void RegionEmitter::use_state() {
  if (!independent_state_.full) needs_entry_state_ = true;
}

// --- vset* ------------------------------------------------------------------------------------

bool RegionEmitter::emit_configuration(const Operation& operation) {
  if (operation.id != InstructionId::vsetvli && operation.id != InstructionId::vsetivli)
    return false;
  const VectorState after = state_after(operation, state_);
  if (!after.full) return false;
  const unsigned length = after.elements();
  const bool by_register = operation.id == InstructionId::vsetvli && operation.rs1 != 0;
  if (operation.id == InstructionId::vsetvli && !by_register && operation.rd == 0) use_state();
  if (by_register) {
    Label partial;
    cmp(read(operation.rs1, rcx), length);
    jb(partial, T_NEAR);
    Site& site = make_site(operation);
    out_of_line([this, &site, partial, sums = sums_before_]() mutable {
      L(partial);
      flush_kept(sums);
      mov(rax, site.operation->pc);
      mov(rdx, reinterpret_cast<std::uint64_t>(&site));
      jmp(as_written(target_.thunks.leave_rest), T_NEAR);
    });
  }
  const std::uint64_t bits =
      operation.full >> 20 & (operation.id == InstructionId::vsetvli ? 0x7ff : 0x3ff);
  const isa::VectorType type = isa::decode_vtype(bits);
  const std::size_t place = offset_of(&isa::Hart::vtype);
  std::uint32_t packed;
  std::memcpy(&packed, &type, sizeof packed);
  mov(hart_field32(place), packed);
  mov(hart_field8(place + offsetof(isa::VectorType, ill)), 0);
  mov(hart_field(offset_of(&isa::Hart::vl)), length);
  if (operation.rd != 0) {
    const Reg64 to = result(operation.rd);
    mov(to, length);
    write(operation.rd, to);
  }
  relies_on_ |= kVectorReady;
  return true;
}

// --- loads, stores, moves ---------------------------------------------------------------------

void RegionEmitter::vector_memory(const Operation& operation, unsigned registers, bool store) {
  Label slow, back;
  const Reg64 base = checked_address(operation, registers * isa::kVlenBytes, slow);
  Site& site = make_site(operation);
  site.charges = false;
  if (!store) prepare_sums_for_load(operation.rd, registers);
  for (unsigned i = 0; i < registers; ++i) {
    const unsigned guest = operation.rd + i;
    const Xbyak::RegExp place = base + static_cast<int>(i * isa::kVlenBytes);
    if (store) {
      const Zmm value = read_vector(guest, kScratchVector);
      guest_segment();
      vmovdqu64(zword[place], value);
    } else {
      const Zmm to = result_vector(guest);
      guest_segment();
      vmovdqu64(to, zword[place]);
      write_vector(guest, to);
    }
  }
  L(back);
  slow_path(site, slow, back);
  note_vector(operation);
}

bool RegionEmitter::emit_vector_memory(const Operation& operation) {
  const VectorAccessForm access = vector_access(operation.id);
  if (access.kind == VectorAccess::WholeRegister) {
    if (!group_aligned(operation.rd, access.registers)) return false;
    vector_memory(operation, access.registers, access.store);
    return true;
  }
  if (access.kind != VectorAccess::UnitStride || !state_.full || !operation.vm() ||
      operation.fields() != 1)
    return false;
  switch (operation.id) {
    case InstructionId::vle8ff_v: case InstructionId::vle16ff_v:
    case InstructionId::vle32ff_v: case InstructionId::vle64ff_v:
      return false;
    default:
      break;
  }
  const int group = access.eew_log2 - state_.sew_log2 + state_.lmul_log2;
  if (group < 0 || group > 3 || !group_aligned(operation.rd, 1u << group)) return false;
  use_state();
  vector_memory(operation, 1u << group, access.store);
  return true;
}

bool RegionEmitter::emit_vector_move(const Operation& operation) {
  using I = InstructionId;
  if (const unsigned registers = whole_move_registers(operation.id); registers != 0) {
    // With vtype known no check is left but that of the numbers.
    if (!state_.full || !group_aligned(operation.rd, registers) ||
        !group_aligned(operation.rs2, registers))
      return false;
    use_state();
    for (unsigned i = 0; i < registers; ++i) {
      if (operation.rd == operation.rs2) break;
      write_vector(operation.rd + i, read_vector(operation.rs2 + i, kScratchVector));
    }
    note_vector(operation);
    return true;
  }
  if (!state_.full || !group_aligned(operation.rd, state_.registers())) return false;
  switch (operation.id) {
    case I::vmv_v_i: case I::vmv_v_x: {
      if (operation.id == I::vmv_v_i) {
        const int value = operation.rs1 >= 16 ? operation.rs1 - 32 : operation.rs1;
        if (value == 0) xor_(eax, eax);
        else mov(rax, static_cast<std::int64_t>(value));
      } else {
        load(rax, operation.rs1);
      }
      splat(zmm14, state_.sew_log2);
      break;
    }
    case I::vfmv_v_f: {
      if (state_.sew_log2 < 5) return false;
      Label slow, back;
      const Format format = state_.sew_log2 == 5 ? Format::Single : Format::Double;
      const Xbyak::Xmm value = read_as(format, operation.rs1, kScratchVector, slow);
      if (format == Format::Single) vbroadcastss(zmm14, value);
      else vbroadcastsd(zmm14, value);
      use_state();
      Site& site = make_site(operation);
      site.charges = false;
      for (unsigned i = 0; i < state_.registers(); ++i) write_vector(operation.rd + i, zmm14);
      L(back);
      relies_on_ |= kFloatReady;
      note_vector(operation);
      slow_path(site, slow, back);
      return true;
    }
    default:
      return false;
  }
  use_state();
  for (unsigned i = 0; i < state_.registers(); ++i) write_vector(operation.rd + i, zmm14);
  note_vector(operation);
  return true;
}

// rax in every element.
void RegionEmitter::splat(const Zmm& to, unsigned sew_log2) {
  switch (sew_log2) {
    case 3: vpbroadcastb(to, eax.cvt8()); break;
    case 4: vpbroadcastw(to, eax.cvt16()); break;
    case 5: vpbroadcastd(to, eax); break;
    default: vpbroadcastq(to, rax); break;
  }
}

bool RegionEmitter::emit_vector(const Operation& operation) {
  if (level() != HostLevel::Avx512) return false;
  return emit_configuration(operation) || emit_vector_memory(operation) ||
         emit_vector_move(operation) || emit_vector_float(operation) ||
         emit_vector_integer(operation) || emit_matrix(operation);
}

}  // namespace d1::emulator
