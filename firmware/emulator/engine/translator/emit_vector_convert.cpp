// SPDX-License-Identifier: Apache-2.0
// Conversions between numbers of one width, and between singles and doubles.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

using Unary = void (Xbyak::CodeGenerator::*)(const Xmm&, const Xbyak::Operand&);
using G = Xbyak::CodeGenerator;

struct ToInteger {
  Unary of_singles, of_doubles;
  bool is_signed;
};
const std::unordered_map<InstructionId, ToInteger> kToInteger = {
    {InstructionId::vfcvt_x_f_v, {&G::vcvtps2dq, &G::vcvtpd2qq, true}},
    {InstructionId::vfcvt_xu_f_v, {&G::vcvtps2udq, &G::vcvtpd2uqq, false}},
    {InstructionId::vfcvt_rtz_x_f_v, {&G::vcvttps2dq, &G::vcvttpd2qq, true}},
    {InstructionId::vfcvt_rtz_xu_f_v, {&G::vcvttps2udq, &G::vcvttpd2uqq, false}},
};

}  // namespace

// What does not fit is one value on the host, the smallest integer or the largest unsigned one; on
// RISC-V it depends on the sign, and a NaN counts as large.
void RegionEmitter::mend_conversion(const Zmm& from, const Opmask& active, bool is_signed) {
  constexpr std::uint8_t kLessThan = 0x11, kNotLessThan = 0x15;  // quiet; the latter of NaNs, too
  const bool single = state_.sew_log2 == 5;
  const std::uint64_t sign = single ? 0x80000000'80000000 : 0x80000000'00000000;
  const std::uint64_t misfit = is_signed ? sign : ~std::uint64_t{0};
  Label some, back;
  const auto constant = [&](std::uint64_t value) { return ptr_b[rip + constant128(value, 0)]; };
  single ? vpcmpeqd(k2 | active, zmm14, constant(misfit))
         : vpcmpeqq(k2 | active, zmm14, constant(misfit));
  kortestw(k2, k2);
  jnz(some, T_NEAR);
  L(back);
  out_of_line([this, from, is_signed, single, sign, some, back]() mutable {
    L(some);
    vpxord(zmm13, zmm13, zmm13);
    const std::uint8_t predicate = is_signed ? kNotLessThan : kLessThan;
    single ? vcmpps(k3 | k2, from, zmm13, predicate) : vcmppd(k3 | k2, from, zmm13, predicate);
    if (is_signed) {
      const auto largest = ptr_b[rip + constant128(~sign, 0)];
      single ? vpblendmd(zmm14 | k3, zmm14, largest) : vpblendmq(zmm14 | k3, zmm14, largest);
    } else {
      single ? vmovdqa32(zmm14 | k3, zmm13) : vmovdqa64(zmm14 | k3, zmm13);
    }
    jmp(back, T_NEAR);
  });
}

bool RegionEmitter::emit_vector_conversion(const Operation& operation) {
  using I = InstructionId;
  const unsigned width = state_.sew_log2;
  if (!same_width_allowed(operation, Second::Scalar) || width < 5)
    return emit_vector_format_change(operation);
  const bool single = width == 5;
  const auto each = [&](const FunctionReference<void(const Zmm&, const Opmask&)>& convert) {
    for_active(masking(operation), width, state_.registers(),
               [&](unsigned i, const Opmask& active) {
                 convert(read_vector(operation.rs2 + i, kThirdScratchVector), active);
                 write_active(operation.rd + i, zmm14, active, width);
               });
    relies_on_ |= kFloatReady;
    note_vector(operation);
    return true;
  };
  if (const auto found = kToInteger.find(operation.id); found != kToInteger.end()) {
    const ToInteger& kind = found->second;
    return each([&](const Zmm& from, const Opmask& active) {
      (this->*(single ? kind.of_singles : kind.of_doubles))(only(zmm14, active), from);
      mend_conversion(from, active, kind.is_signed);
    });
  }
  switch (operation.id) {
    case I::vfcvt_f_x_v:
      return each([&](const Zmm& from, const Opmask& active) {
        single ? vcvtdq2ps(only(zmm14, active), from) : vcvtqq2pd(only(zmm14, active), from);
      });
    case I::vfcvt_f_xu_v:
      return each([&](const Zmm& from, const Opmask& active) {
        single ? vcvtudq2ps(only(zmm14, active), from) : vcvtuqq2pd(only(zmm14, active), from);
      });
    case I::vfsqrt_v:
      return each([&](const Zmm& from, const Opmask& active) {
        single ? vsqrtps(only(zmm14, active), from) : vsqrtpd(only(zmm14, active), from);
        canonical_result(single ? Format::Single : Format::Double, {});
      });
    default:
      return emit_vector_format_change(operation);
  }
}

// To twice or half the width.
bool RegionEmitter::emit_vector_format_change(const Operation& operation) {
  using I = InstructionId;
  if (!state_.known || !destination_allowed(operation)) return false;
  const unsigned narrow = state_.sew_log2;
  const int lmul = state_.lmul_log2, wide = lmul + 1;
  const unsigned wide_registers = registers_of_group(wide);
  if (wide > 3) return false;
  if (operation.id == I::vfncvt_f_f_w) {
    if (narrow != 5 || !group_aligned(operation.rd, state_.registers()) ||
        !group_aligned(operation.rs2, wide_registers) ||
        !narrowing_allowed(operation.rd, lmul, operation.rs2, wide))
      return false;
    for_active(masking(operation), narrow, state_.registers(),
               [&](unsigned i, const Opmask& active) {
                 narrow_doubles(operation.rs2, i, active);
                 canonical_result(Format::Single, {});
                 write_active(operation.rd + i, zmm14, active, narrow);
               });
    relies_on_ |= kFloatReady;
    note_vector(operation);
    return true;
  }
  const bool from_float = operation.id == I::vfwcvt_f_f_v;
  const bool is_signed = operation.id == I::vfwcvt_f_x_v;
  if ((!from_float && !is_signed && operation.id != I::vfwcvt_f_xu_v) || narrow < 4 ||
      narrow > 5 || !group_aligned(operation.rd, wide_registers) ||
      !group_aligned(operation.rs2, state_.registers()) ||
      !widening_allowed(operation.rd, wide, operation.rs2, lmul))
    return false;
  for_active(masking(operation), narrow + 1, wide_registers,
             [&](unsigned i, const Opmask& active) {
               const Zmm to = only(zmm14, active);
               if (from_float) {
                 const Xbyak::Operand& from = narrow_part(operation.rs2, i, 1, kThirdScratchVector);
                 narrow == 5 ? vcvtps2pd(to, from) : vcvtph2ps(to, from);
                 canonical_result(narrow == 5 ? Format::Double : Format::Single, {});
               } else if (narrow == 5) {
                 const Xbyak::Operand& from = narrow_part(operation.rs2, i, 1, kThirdScratchVector);
                 is_signed ? vcvtdq2pd(to, from) : vcvtudq2pd(to, from);
               } else {
                 extend(zmm14, operation.rs2, i, 5, 1, is_signed ? Extend::Sign : Extend::Zero);
                 vcvtdq2ps(zmm14, zmm14);
               }
               write_active(operation.rd + i, zmm14, active, narrow + 1);
             });
  relies_on_ |= kFloatReady;
  note_vector(operation);
  return true;
}

// zmm14 = the given register of a group of singles, from one or two of doubles.
void RegionEmitter::narrow_doubles(unsigned group, unsigned chunk, const Opmask& active) {
  const unsigned sources = registers_of_group(state_.lmul_log2 + 1);
  for (unsigned half = 0; half < 2 && 2 * chunk + half < sources; ++half) {
    const Zmm from = read_number(Format::Double, group + 2 * chunk + half,
                                 kThirdScratchVector);
    const Ymm to = half == 0 ? ymm14 : ymm13;
    if (active.getIdx() == 0) {
      vcvtpd2ps(to, from);
    } else {
      kshiftrw(k3, active, static_cast<std::uint8_t>(8 * half));
      vcvtpd2ps(to | k3 | T_z, from);
    }
    if (half == 1) vinserti64x4(zmm14, zmm14, ymm13, 1);
  }
}

}  // namespace d1::emulator
