// SPDX-License-Identifier: Apache-2.0
// Division of vectors of 8 to 32 bits by the host's floating-point division, towards zero and
// without flags: singles hold all numbers of 16 bits, doubles all of 32, and rounding towards zero
// leads past no integer. Wider ones go to the semantics.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

struct Kind {
  bool is_signed, remainder;
};
#define D1_DIVIDE(name, is_signed, remainder)                                     \
  {isa::InstructionId::name##_vv, {{is_signed, remainder}, Second::Vector}}, \
  {isa::InstructionId::name##_vx, {{is_signed, remainder}, Second::Scalar}},
const VectorForms<Kind> kForms = {
    D1_DIVIDE(vdivu, false, false)
    D1_DIVIDE(vdiv, true, false)
    D1_DIVIDE(vremu, false, true)
    D1_DIVIDE(vrem, true, true)
};
#undef D1_DIVIDE

constexpr std::uint8_t kOnes = 0xff;

}  // namespace

// A piece of a group as words: 16 elements, or 8 that are words.
void RegionEmitter::load_words(const Zmm& to, unsigned group, unsigned piece, bool is_signed) {
  const unsigned width = state_.sew_log2;
  const Xbyak::Operand& part = narrow_part(group, piece, width == 3 ? 2 : 1, to.getIdx());
  switch (width) {
    case 3: is_signed ? vpmovsxbd(to, part) : vpmovzxbd(to, part); break;
    case 4: is_signed ? vpmovsxwd(to, part) : vpmovzxwd(to, part); break;
    default: vmovdqu32(Ymm(to.getIdx()), part); break;
  }
}

// to = a / b, rounded towards zero. Loses the two others.
void RegionEmitter::divide_words(const Zmm& to, const Zmm& a, const Zmm& b, const Zmm& scratch,
                                 bool is_signed) {
  if (state_.sew_log2 < 5) {
    vcvtdq2ps(to, a);
    vcvtdq2ps(scratch, b);
    vdivps(to | T_rz_sae, to, scratch);
    vcvtps2dq(to, to | T_rz_sae);
    return;
  }
  const Ymm words(to.getIdx()), low_a(a.getIdx()), low_b(b.getIdx());
  is_signed ? vcvtdq2pd(to, low_a) : vcvtudq2pd(to, low_a);
  is_signed ? vcvtdq2pd(scratch, low_b) : vcvtudq2pd(scratch, low_b);
  vdivpd(to | T_rz_sae, to, scratch);
  is_signed ? vcvtpd2dq(words, to | T_rz_sae) : vcvtpd2udq(words, to | T_rz_sae);
}

bool RegionEmitter::emit_vector_division(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  const unsigned width = state_.sew_log2;
  if (width > 5 || !same_width_allowed(operation, second)) return false;
  const bool is_signed = kind.is_signed;
  const Zmm quotient = extra_scratch(0), scratch = extra_scratch(1), divisor = extra_scratch(2);
  if (second != Second::Vector) {
    load(rax, operation.rs1);
    switch (width) {
      case 3: is_signed ? movsx(eax, al) : movzx(eax, al); break;
      case 4: is_signed ? movsx(eax, ax) : movzx(eax, ax); break;
      default: break;
    }
    splat(divisor, 5);
  }
  const unsigned pieces = width == 3 ? 4 : 2;
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    for (unsigned piece = 0; piece < pieces; ++piece) {
      if (second == Second::Vector)
        load_words(divisor, operation.rs1, i * pieces + piece, is_signed);
      load_words(zmm12, operation.rs2, i * pieces + piece, is_signed);
      divide_words(quotient, zmm12, divisor, scratch, is_signed);
      if (kind.remainder) {  // by zero the quotient is any number: the remainder is the dividend
        vpmulld(quotient, quotient, divisor);
        vpsubd(quotient, zmm12, quotient);
      } else {
        vptestnmd(k2, divisor, divisor);
        vpternlogd(quotient | k2, quotient, quotient, kOnes);
      }
      take_words(quotient, width, piece);
    }
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

// The piece of that number of zmm14 = words, cut to the width. Loses zmm12.
void RegionEmitter::take_words(const Zmm& words, unsigned width_log2, unsigned piece) {
  const int part = piece == 0 ? kScratchVector : kThirdScratchVector;
  switch (width_log2) {
    case 3:
      vpmovdb(Xmm(part), words);
      if (piece != 0) vinserti32x4(zmm14, zmm14, xmm12, static_cast<std::uint8_t>(piece));
      break;
    case 4:
      vpmovdw(Ymm(part), words);
      if (piece != 0) vinserti64x4(zmm14, zmm14, ymm12, 1);
      break;
    default:
      if (piece == 0) vmovdqa64(ymm14, Ymm(words.getIdx()));
      else vinserti64x4(zmm14, zmm14, Ymm(words.getIdx()), 1);
      break;
  }
}

}  // namespace d1::emulator
