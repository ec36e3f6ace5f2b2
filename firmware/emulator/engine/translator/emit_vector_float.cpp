// SPDX-License-Identifier: Apache-2.0
// Vector floating point of single and double precision: host
// instructions under the guest's MXCSR. NaNs become canonical out of line; there, too, the flag is
// raised that the host leaves out where a fused multiplication is of zero by infinity and a quiet
// NaN is added.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Opmask;
using Xbyak::Zmm;

bool fused_form(InstructionId id, FusedForm& form, bool& scalar) {
  using I = InstructionId;
  scalar = false;
  switch (id) {
    case I::vfmacc_vf: scalar = true; [[fallthrough]];
    case I::vfmacc_vv: form = {true, false, false}; return true;
    case I::vfnmacc_vf: scalar = true; [[fallthrough]];
    case I::vfnmacc_vv: form = {true, true, true}; return true;
    case I::vfmsac_vf: scalar = true; [[fallthrough]];
    case I::vfmsac_vv: form = {true, false, true}; return true;
    case I::vfnmsac_vf: scalar = true; [[fallthrough]];
    case I::vfnmsac_vv: form = {true, true, false}; return true;
    case I::vfmadd_vf: scalar = true; [[fallthrough]];
    case I::vfmadd_vv: form = {false, false, false}; return true;
    case I::vfnmadd_vf: scalar = true; [[fallthrough]];
    case I::vfnmadd_vv: form = {false, true, true}; return true;
    case I::vfmsub_vf: scalar = true; [[fallthrough]];
    case I::vfmsub_vv: form = {false, false, true}; return true;
    case I::vfnmsub_vf: scalar = true; [[fallthrough]];
    case I::vfnmsub_vv: form = {false, true, false}; return true;
    default: return false;
  }
}

// The second operand of a .vf form, in every element of zmm13.
Zmm RegionEmitter::splat_float(const Operation& operation, Format format, Label& slow) {
  const Xbyak::Xmm value = read_as(format, operation.rs1, kSecondScratchVector, slow);
  if (format == Format::Single) vbroadcastss(zmm13, value);
  else vbroadcastsd(zmm13, value);
  return zmm13;
}

void RegionEmitter::fused(const FusedForm& form, Format format, const Zmm& to, const Zmm& other,
                          const Zmm& third) {
  const bool single = format == Format::Single;
  const unsigned negated = (form.negate_product ? 1 : 0) + (form.negate_addend ? 2 : 0);
  if (form.addend_is_vd) {
    switch (negated) {
      case 0: single ? vfmadd231ps(to, other, third) : vfmadd231pd(to, other, third); break;
      case 1: single ? vfnmadd231ps(to, other, third) : vfnmadd231pd(to, other, third); break;
      case 2: single ? vfmsub231ps(to, other, third) : vfmsub231pd(to, other, third); break;
      default: single ? vfnmsub231ps(to, other, third) : vfnmsub231pd(to, other, third); break;
    }
    return;
  }
  switch (negated) {
    case 0: single ? vfmadd213ps(to, other, third) : vfmadd213pd(to, other, third); break;
    case 1: single ? vfnmadd213ps(to, other, third) : vfnmadd213pd(to, other, third); break;
    case 2: single ? vfmsub213ps(to, other, third) : vfmsub213pd(to, other, third); break;
    default: single ? vfnmsub213ps(to, other, third) : vfnmsub213pd(to, other, third); break;
  }
}

// vd += vs1 * vs2 and the like where the sums are kept in registers and are no factors: in place,
// and one look for NaNs at two registers at a time.
bool RegionEmitter::vector_accumulate(const Operation& operation, Format format) {
  FusedForm form;
  bool scalar;
  const unsigned n = state_.registers();
  if (!fused_form(operation.id, form, scalar) || scalar || !form.addend_is_vd ||
      !result_may_be_pending(operation) || operation.rd == operation.rs2 ||
      operation.rd == operation.rs1 || !group_aligned(operation.rs2, n) ||
      !group_aligned(operation.rs1, n))
    return false;
  Label nan, settled;
  const auto sum = [&](unsigned i) { return Zmm(vectors_.host(operation.rd + i)); };
  for (unsigned i = 0; i < n; ++i) {
    vectors_.note(operation.rd + i);
    vectors_.note_write(operation.rd + i);
    fused(form, format, sum(i), read_number(operation.rs1 + i, kSecondScratchVector),
          read_number(operation.rs2 + i, kScratchVector));
    pending_.forget(operation.rd + i);
  }
  // Unordered if either is a NaN. Eight registers make four masks.
  const Xbyak::Opmask masks[] = {k1, k2, k3, k4};
  for (unsigned i = 0; i < n; i += 2)
    compare_unordered(format, masks[i / 2], sum(i), sum(n == 1 ? i : i + 1));
  if (n == 8) {
    korw(k1, k1, k2);
    korw(k2, k3, k4);
  }
  kortestw(k1, n <= 2 ? k1 : k2);
  jnz(nan, T_NEAR);
  L(settled);
  out_of_line([this, operation, format, n, nan, settled]() mutable {
    L(nan);
    for (unsigned i = 0; i < n; ++i) {
      const Zmm value(vectors_.host(operation.rd + i));
      compare_unordered(format, k1, value, value);
      raise_invalid_product(format, k1, operation.rs2 + i, operation.rs1 + i);
      blend_canonical(format, k1, value);
    }
    jmp(settled, T_NEAR);
  });
  relies_on_ |= kFloatReady;
  note_vector(operation);
  return true;
}

bool RegionEmitter::vector_fused(const Operation& operation, Format format) {
  FusedForm form;
  bool scalar;
  if (!fused_form(operation.id, form, scalar)) return false;
  const unsigned n = state_.registers();
  if (!group_aligned(operation.rs2, n) || (!scalar && !group_aligned(operation.rs1, n)))
    return false;
  Label slow, back;
  Site& site = make_site(operation);
  site.charges = false;
  if (scalar) splat_float(operation, format, slow);
  for_active(masking(operation), state_.sew_log2, n, [&](unsigned i, const Opmask& active) {
    // zmm14 is the first factor, and the result.
    const unsigned factor = (form.addend_is_vd ? operation.rs2 : operation.rd) + i;
    const unsigned addend = (form.addend_is_vd ? operation.rd : operation.rs2) + i;
    const Zmm other = scalar ? zmm13 : read_number(operation.rs1 + i, kSecondScratchVector);
    const Zmm first = read_number(factor, kScratchVector);
    if (first.getIdx() != kScratchVector) vmovaps(zmm14, first);
    fused({false, form.negate_product, form.negate_addend}, format, only(zmm14, active), other,
          read_number(addend, kThirdScratchVector));
    const unsigned multiplier = scalar ? kSplatted : operation.rs1 + i;
    canonical_result(format, [this, format, factor, multiplier](const Opmask& where) {
      raise_invalid_product(format, where, factor, multiplier);
    });
    write_active(operation.rd + i, zmm14, active, state_.sew_log2);
  });
  finish_floats(operation, site, slow, back);
  return true;
}

bool RegionEmitter::vector_float_binary(const Operation& operation, Format format) {
  using I = InstructionId;
  bool scalar = false, reversed = false;
  enum { Add, Subtract, Multiply, Divide } kind;
  switch (operation.id) {
    case I::vfadd_vf: scalar = true; [[fallthrough]];
    case I::vfadd_vv: kind = Add; break;
    case I::vfrsub_vf: scalar = reversed = true; kind = Subtract; break;
    case I::vfsub_vf: scalar = true; [[fallthrough]];
    case I::vfsub_vv: kind = Subtract; break;
    case I::vfmul_vf: scalar = true; [[fallthrough]];
    case I::vfmul_vv: kind = Multiply; break;
    case I::vfrdiv_vf: scalar = reversed = true; kind = Divide; break;
    case I::vfdiv_vf: scalar = true; [[fallthrough]];
    case I::vfdiv_vv: kind = Divide; break;
    default: return false;
  }
  const unsigned n = state_.registers();
  if (!group_aligned(operation.rs2, n) || (!scalar && !group_aligned(operation.rs1, n)))
    return false;
  Label slow, back;
  const bool single = format == Format::Single;
  Site& site = make_site(operation);
  site.charges = false;
  if (scalar) splat_float(operation, format, slow);
  const bool may_be_pending = result_may_be_pending(operation);
  for_active(masking(operation), state_.sew_log2, n, [&](unsigned i, const Opmask& active) {
    const Zmm second = scalar ? zmm13 : read_number(operation.rs1 + i, kSecondScratchVector);
    const Zmm first = read_number(operation.rs2 + i, kThirdScratchVector);
    const Zmm to =
        may_be_pending ? Zmm(vectors_.host(operation.rd + i)) : only(zmm14, active);
    const Zmm& a = reversed ? second : first;
    const Zmm& b = reversed ? first : second;
    switch (kind) {
      case Add: single ? vaddps(to, a, b) : vaddpd(to, a, b); break;
      case Subtract: single ? vsubps(to, a, b) : vsubpd(to, a, b); break;
      case Multiply: single ? vmulps(to, a, b) : vmulpd(to, a, b); break;
      case Divide: single ? vdivps(to, a, b) : vdivpd(to, a, b); break;
    }
    if (may_be_pending) return;
    canonical_result(format, {});
    write_active(operation.rd + i, zmm14, active, state_.sew_log2);
  });
  if (may_be_pending) note_pending(operation, format);
  finish_floats(operation, site, slow, back);
  return true;
}

bool RegionEmitter::emit_vector_float(const Operation& operation) {
  if (!state_.known || state_.sew_log2 < 5 || !destination_allowed(operation) ||
      !group_aligned(operation.rd, state_.registers()))
    return false;
  const Format format = state_.sew_log2 == 5 ? Format::Single : Format::Double;
  return vector_fused_by_scalar(operation, format) || vector_accumulate(operation, format) ||
         vector_fused(operation, format) ||
         vector_float_binary(operation, format);
}

}  // namespace d1::emulator
