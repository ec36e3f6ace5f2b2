// SPDX-License-Identifier: Apache-2.0
// Vector multiply-add of integers, and the upper halves of products.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::Operation;
using Xbyak::Opmask;
using Xbyak::Zmm;

namespace {

// vd = vs1 * vs2 + vd, and with the product negated; vd = vs1 * vd + vs2, and so on.
enum class Kind : std::uint8_t {
  AddToVd, SubtractFromVd, MultiplyVdAndAdd, MultiplyVdAndSubtract
};

const VectorForms<Kind> kForms = {
    D1_FORM_VV(vmacc, AddToVd) D1_FORM_VX(vmacc, AddToVd)
    D1_FORM_VV(vnmsac, SubtractFromVd) D1_FORM_VX(vnmsac, SubtractFromVd)
    D1_FORM_VV(vmadd, MultiplyVdAndAdd) D1_FORM_VX(vmadd, MultiplyVdAndAdd)
    D1_FORM_VV(vnmsub, MultiplyVdAndSubtract) D1_FORM_VX(vnmsub, MultiplyVdAndSubtract)
};

const VectorForms<bool> kHighForms = {
    {isa::InstructionId::vmulh_vv, {true, Second::Vector}},
    {isa::InstructionId::vmulh_vx, {true, Second::Scalar}},
    {isa::InstructionId::vmulhu_vv, {false, Second::Vector}},
    {isa::InstructionId::vmulhu_vx, {false, Second::Scalar}},
};

}  // namespace

void RegionEmitter::multiply(const Zmm& to, const Zmm& a, const Zmm& b, unsigned width_log2) {
  switch (width_log2) {
    case 3: multiply_bytes(to, a, b); break;
    case 4: vpmullw(to, a, b); break;
    case 5: vpmulld(to, a, b); break;
    default: vpmullq(to, a, b); break;
  }
}

void RegionEmitter::add_elements(const Zmm& to, const Zmm& a, const Zmm& b, unsigned width_log2) {
  switch (width_log2) {
    case 3: vpaddb(to, a, b); break;
    case 4: vpaddw(to, a, b); break;
    case 5: vpaddd(to, a, b); break;
    default: vpaddq(to, a, b); break;
  }
}

void RegionEmitter::subtract_elements(const Zmm& to, const Zmm& a, const Zmm& b,
                                      unsigned width_log2) {
  switch (width_log2) {
    case 3: vpsubb(to, a, b); break;
    case 4: vpsubw(to, a, b); break;
    case 5: vpsubd(to, a, b); break;
    default: vpsubq(to, a, b); break;
  }
}

bool RegionEmitter::emit_vector_multiply_add(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return emit_vector_multiply_high(operation);
  const auto [kind, second] = found->second;
  if (!same_width_allowed(operation, second)) return false;
  const unsigned width = state_.sew_log2;
  const bool adds_to_vd = kind == Kind::AddToVd || kind == Kind::SubtractFromVd;
  const bool subtracts = kind == Kind::SubtractFromVd || kind == Kind::MultiplyVdAndSubtract;
  splat_second(operation, second, width);
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    const unsigned factor = (adds_to_vd ? operation.rs2 : operation.rd) + i;
    const unsigned addend = (adds_to_vd ? operation.rd : operation.rs2) + i;
    const Zmm b = second_vector(operation, second, i);
    multiply(zmm14, read_vector(factor, kThirdScratchVector), b, width);
    const Zmm c = read_vector(addend, kThirdScratchVector);
    if (subtracts) subtract_elements(zmm14, c, zmm14, width);
    else add_elements(zmm14, c, zmm14, width);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

// Of 16 bits by one instruction, of 32 from products of even and of odd elements.
bool RegionEmitter::emit_vector_multiply_high(const Operation& operation) {
  const auto found = kHighForms.find(operation.id);
  if (found == kHighForms.end()) return false;
  const auto [is_signed, second] = found->second;
  const unsigned width = state_.sew_log2;
  if (!same_width_allowed(operation, second) || (width != 4 && width != 5)) return false;
  const bool signed_product = is_signed;
  const auto product = [this, signed_product](const Zmm& to, const Zmm& a, const Zmm& b) {
    if (signed_product) vpmuldq(to, a, b);
    else vpmuludq(to, a, b);
  };
  constexpr std::uint32_t kOddElements = 0xaaaa;
  splat_second(operation, second, width);
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    const Zmm b = second_vector(operation, second, i);
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    if (width == 4) {
      is_signed ? vpmulhw(zmm14, a, b) : vpmulhuw(zmm14, a, b);
    } else {
      const Zmm even = extra_scratch(0), odd = extra_scratch(1);
      product(even, a, b);
      vpsrlq(zmm14, a, 32);
      vpsrlq(odd, b, 32);
      product(odd, zmm14, odd);
      vpsrlq(zmm14, even, 32);
      mov(eax, kOddElements);
      kmovw(k2, eax);
      vmovdqa32(zmm14 | k2, odd);
    }
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
