// SPDX-License-Identifier: Apache-2.0
// Vector registers in host registers, and which of their elements an instruction works on. A vector
// register is a zmm register, so all of this needs AVX-512. Elements that are masked off or lie
// behind vl are masked off on the host, too: they stay as they are and raise no flags.
#include "engine/register_use.hpp"
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

Xbyak::Address RegionEmitter::v_in_memory(unsigned guest) {
  mov(rdx, hart_field(offset_of(&isa::Hart::v)));
  return zword[rdx + static_cast<int>(guest * isa::kVlenBytes)];
}

Zmm RegionEmitter::read_vector(unsigned guest, int scratch) {
  if (pending_.contains(guest)) settle_group(guest, 1);
  return read_number(guest, scratch);
}

Zmm RegionEmitter::target_vector(unsigned guest, const Opmask& active) {
  if (active.getIdx() != 0) {
    const Zmm before = read_vector(guest, kScratchVector);
    vectors_.note_write(guest);
    return before;
  }
  vectors_.note(guest);
  vectors_.note_write(guest);
  const int host = vectors_.host(guest);
  return Zmm(host >= 0 ? host : kScratchVector);
}

void RegionEmitter::write_vector(unsigned guest, const Zmm& from) {
  vectors_.note_write(guest);
  pending_.forget(guest);
  if (const int host = vectors_.host(guest); host < 0) vmovdqa64(v_in_memory(guest), from);
  else if (host != from.getIdx()) vmovdqa64(Zmm(host), from);
}

void RegionEmitter::write_active(unsigned guest, const Zmm& from, const Opmask& active,
                                 unsigned width_log2) {
  if (active.getIdx() == 0) return write_vector(guest, from);
  const Zmm to = read_vector(guest, kThirdScratchVector);
  load_elements(to | active, from, width_log2);
  write_vector(guest, to);
}

// --- which elements ---------------------------------------------------------------------------

// The bits of as many elements as a register has.
void RegionEmitter::load_mask(const Opmask& to, const Xbyak::RegExp& place, unsigned width_log2) {
  switch (width_log2) {
    case 3: kmovq(to, qword[place]); break;
    case 4: kmovd(to, dword[place]); break;
    case 5: kmovw(to, word[place]); break;
    default: kmovb(to, byte[place]); break;
  }
}

void RegionEmitter::set_mask(const Opmask& to, unsigned ones) {
  mov(rax, ~std::uint64_t{0} >> (64 - ones));
  kmovq(to, rax);
}

std::optional<Opmask> RegionEmitter::active_elements(Masking masking, unsigned width_log2,
                                                     unsigned chunk) {
  const unsigned count = 512u >> width_log2, first = chunk * count;
  const auto v0 = [&](const Opmask& to) {
    vectors_.exclude(0);
    mov(rdx, hart_field(offset_of(&isa::Hart::v)));
    load_mask(to, rdx + static_cast<int>(first / 8), width_log2);
  };
  if (state_.length == kAnyLength) {
    load_mask(k1, rbp + hart_offset(length_mask_place() + first / 8), width_log2);
    if (masking == Masking::None) return k1;
    v0(k2);
    kandq(k1, k1, k2);
    return k1;
  }
  const auto length = static_cast<unsigned>(state_.length);
  if (length <= first) return std::nullopt;
  const bool all = length - first >= count;
  if (masking == Masking::None) {
    if (all) return k0;
    set_mask(k1, length - first);
    return k1;
  }
  v0(k1);
  if (!all) {
    set_mask(k2, length - first);
    kandq(k1, k1, k2);
  }
  return k1;
}

void RegionEmitter::for_active(Masking masking, unsigned width_log2, unsigned registers,
                               const EmitChunk& emit) {
  Label done;
  for (unsigned chunk = 0; chunk < registers; ++chunk) {
    if (state_.length == kAnyLength && chunk != 0) {
      cmp(hart_field32(offset_of(&isa::Hart::vl)), chunk * (512u >> width_log2));
      jbe(done, T_NEAR);
    }
    const auto active = active_elements(masking, width_log2, chunk);
    if (!active) break;
    emit(chunk, *active);
  }
  L(done);
}

// A masked instruction must not write v0 unless its result is a mask or a scalar.
bool RegionEmitter::destination_allowed(const Operation& operation) noexcept {
  return operation.vm() || operation.rd != 0;
}

bool RegionEmitter::group_aligned(unsigned guest, unsigned registers) noexcept {
  return (guest & (registers - 1)) == 0;
}

Zmm RegionEmitter::extra_scratch(int number) {
  uses_extra_scratch_ = true;
  forms_.left = OperandForms::kNone;
  return Zmm(kFirstExtraScratch + number);
}

// vd, vs2 and vs1 are groups of one size.
bool RegionEmitter::same_width_allowed(const Operation& operation, Second second) const {
  const unsigned n = state_.registers();
  return state_.known && destination_allowed(operation) && group_aligned(operation.rd, n) &&
         group_aligned(operation.rs2, n) &&
         (second != Second::Vector || group_aligned(operation.rs1, n));
}

// The operand in the field rs1, if it is no vector, to rax, and to every element of zmm13.
void RegionEmitter::load_second(const Operation& operation, Second second) {
  switch (second) {
    case Second::Vector: break;
    case Second::Scalar: load(rax, operation.rs1); break;
    case Second::UnsignedImmediate: mov(eax, operation.rs1); break;
    case Second::Immediate: {
      const int value = operation.rs1 >= 16 ? operation.rs1 - 32 : operation.rs1;
      if (value == 0) xor_(eax, eax);
      else mov(rax, static_cast<std::int64_t>(value));
      break;
    }
  }
}

void RegionEmitter::splat_second(const Operation& operation, Second second, unsigned width_log2) {
  if (second == Second::Vector) return;
  load_second(operation, second);
  splat(zmm13, width_log2);
}

// An instruction with the operand in the field rs1 as a vector or in zmm13, which `emit` uses; a
// scalar of floats that is not boxed goes to the semantics.
void RegionEmitter::with_second(const Operation& operation, Second second, Elements elements,
                                const FunctionReference<void()>& emit) {
  const bool floats = elements == Elements::Floats;
  if (floats) relies_on_ |= kFloatReady;
  if (!floats || second == Second::Vector) {
    splat_second(operation, second, state_.sew_log2);
    emit();
    note_vector(operation);
    return;
  }
  Label slow, back;
  Site& site = make_site(operation);
  site.charges = false;
  splat_float(operation, state_.sew_log2 == 5 ? Format::Single : Format::Double, slow);
  emit();
  finish_floats(operation, site, slow, back);
}

void RegionEmitter::finish_floats(const Operation& operation, Site& site, Label& slow,
                                  Label& back) {
  L(back);
  relies_on_ |= kFloatReady;
  note_vector(operation);
  slow_path(site, slow, back);
}

Zmm RegionEmitter::second_vector(const Operation& operation, Second second, unsigned chunk) {
  return second == Second::Vector ? read_vector(operation.rs1 + chunk, kSecondScratchVector)
                                  : zmm13;
}

void RegionEmitter::note_vector(const Operation& operation) {
  relies_on_ |= kVectorReady;
  if (unit_cost(operation.id).scale == Scale::Fixed || charges_by_length(operation)) return;
  const unsigned length =
      state_.length == kAnyLength ? state_.vlmax() : static_cast<unsigned>(state_.length);
  add_varying_ticks(operation, state_.type(), length, varying_);
}

bool RegionEmitter::emit_vector(const Operation& operation) {
  if (level() != HostLevel::Avx512) return false;
  // What for_active() skips must not hold code that later code relies on.
  if (state_.length == kAnyLength) settle_all();
  return emit_configuration(operation) || emit_vector_memory(operation) ||
         emit_vector_move(operation) || emit_vector_float(operation) ||
         emit_vector_integer(operation) || emit_vector_multiply_add(operation) ||
         emit_vector_extension(operation) || emit_vector_widening(operation) ||
         emit_vector_narrowing(operation) || emit_saturating(operation) ||
         emit_first_element(operation) || emit_vector_reduction(operation) ||
         emit_slide(operation) ||
         emit_slide_by_one(operation) || emit_gather(operation) ||
         emit_gather_one(operation) || emit_slide_by_register(operation) ||
         emit_compress(operation) || emit_float_extreme(operation) ||
         emit_vector_conversion(operation) || emit_wide_conversion(operation) ||
         emit_vector_division(operation) || emit_vector_float_widening(operation) ||
         emit_vector_sign(operation) || emit_vector_compare(operation) ||
         emit_mask_logic(operation) || emit_mask_query(operation) ||
         emit_vector_merge(operation) || emit_vector_numbers(operation) ||
         emit_matrix(operation) || emit_shuffle(operation);
}

}  // namespace d1::emulator
