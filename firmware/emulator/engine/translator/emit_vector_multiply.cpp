// SPDX-License-Identifier: Apache-2.0
// Vector multiply-add of integers, and the upper halves of products.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

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

// The upper half: of signed numbers, of unsigned ones, of a signed vs2 and an unsigned number.
enum class High : std::uint8_t { Signed, Unsigned, Mixed };
const VectorForms<High> kHighForms = {
    {isa::InstructionId::vmulh_vv, {High::Signed, Second::Vector}},
    {isa::InstructionId::vmulh_vx, {High::Signed, Second::Scalar}},
    {isa::InstructionId::vmulhu_vv, {High::Unsigned, Second::Vector}},
    {isa::InstructionId::vmulhu_vx, {High::Unsigned, Second::Scalar}},
    {isa::InstructionId::vmulhsu_vv, {High::Mixed, Second::Vector}},
    {isa::InstructionId::vmulhsu_vx, {High::Mixed, Second::Scalar}},
};

constexpr std::uint64_t kLowWords = 0xffffffff;
// vpternlog: its first operand where the third has ones, else its second.
constexpr std::uint8_t kSelectReversed = 0xe4;

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

// zmm14 = the upper halves of unsigned products, or of signed ones of 8 to 32 bits.
void RegionEmitter::multiply_high(const Zmm& a, const Zmm& b, bool is_signed) {
  const Zmm even = extra_scratch(0), odd = extra_scratch(1);
  switch (state_.sew_log2) {
    case 3: {  // even and odd bytes as half-words
      const Zmm factor = extra_scratch(2);
      const auto high_bytes = ptr_b[rip + constant128(in_each_element(0xff00, 4), 0)];
      const auto widen = [&](const Zmm& to, const Zmm& from) {
        is_signed ? vpsraw(to, from, 8) : vpsrlw(to, from, 8);
      };
      vpsllw(even, a, 8);
      widen(even, even);
      vpsllw(factor, b, 8);
      widen(factor, factor);
      vpmullw(even, even, factor);
      vpsrlw(even, even, 8);
      widen(odd, a);
      widen(factor, b);
      vpmullw(zmm14, odd, factor);
      vpternlogq(zmm14, even, high_bytes, kSelectReversed);
      break;
    }
    case 4: is_signed ? vpmulhw(zmm14, a, b) : vpmulhuw(zmm14, a, b); break;
    case 5: {
      const auto product = [&](const Zmm& to, const Zmm& x, const Zmm& y) {
        is_signed ? vpmuldq(to, x, y) : vpmuludq(to, x, y);
      };
      constexpr std::uint32_t kOddElements = 0xaaaa;
      product(even, a, b);
      vpsrlq(zmm14, a, 32);
      vpsrlq(odd, b, 32);
      product(odd, zmm14, odd);
      vpsrlq(zmm14, even, 32);
      mov(eax, kOddElements);
      kmovw(k2, eax);
      vmovdqa32(zmm14 | k2, odd);
      break;
    }
    default: {  // by halves: what the three lower products carry is added to the upper one
      const Zmm high_a = extra_scratch(2), high_b = extra_scratch(3);
      const auto low_words = ptr_b[rip + constant128(kLowWords, 0)];
      vpsrlq(high_a, a, 32);
      vpsrlq(high_b, b, 32);
      vpmuludq(zmm14, a, b);
      vpsrlq(zmm14, zmm14, 32);
      vpmuludq(even, high_a, b);
      vpaddq(zmm14, zmm14, even);
      vpmuludq(even, a, high_b);
      vpandq(odd, zmm14, low_words);
      vpaddq(even, even, odd);
      vpsrlq(zmm14, zmm14, 32);
      vpsrlq(even, even, 32);
      vpaddq(zmm14, zmm14, even);
      vpmuludq(high_a, high_a, high_b);
      vpaddq(zmm14, zmm14, high_a);
      break;
    }
  }
}

// zmm14 -= b where a is below zero: what the upper half has too much if a was taken as unsigned.
void RegionEmitter::subtract_where_negative(const Zmm& a, const Zmm& b) {
  const unsigned width = state_.sew_log2;
  switch (width) {
    case 3: vpmovb2m(k2, a); vpsubb(zmm14 | k2, zmm14, b); break;
    case 4: vpmovw2m(k2, a); vpsubw(zmm14 | k2, zmm14, b); break;
    case 5: vpmovd2m(k2, a); vpsubd(zmm14 | k2, zmm14, b); break;
    default: vpmovq2m(k2, a); vpsubq(zmm14 | k2, zmm14, b); break;
  }
}

bool RegionEmitter::emit_vector_multiply_high(const Operation& operation) {
  const auto found = kHighForms.find(operation.id);
  if (found == kHighForms.end()) return false;
  const auto [kind, second] = found->second;
  if (!same_width_allowed(operation, second)) return false;
  const unsigned width = state_.sew_log2;
  const bool directly = kind == High::Signed && width < 6;
  splat_second(operation, second, width);
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    const Zmm b = second_vector(operation, second, i);
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    multiply_high(a, b, directly);
    if (kind != High::Unsigned && !directly) subtract_where_negative(a, b);
    if (kind == High::Signed && !directly) subtract_where_negative(b, a);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
