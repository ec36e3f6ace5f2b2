// SPDX-License-Identifier: Apache-2.0
// Signs of vector floating point, and the smaller or larger of two numbers.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

enum class Kind : std::uint8_t { Take, TakeNegated, Flip, Minimum, Maximum };

const VectorForms<Kind> kForms = {
    D1_FORM_VV(vfsgnj, Take) D1_FORM_VF(vfsgnj, Take)
    D1_FORM_VV(vfsgnjn, TakeNegated) D1_FORM_VF(vfsgnjn, TakeNegated)
    D1_FORM_VV(vfsgnjx, Flip) D1_FORM_VF(vfsgnjx, Flip)
    D1_FORM_VV(vfmin, Minimum) D1_FORM_VF(vfmin, Minimum)
    D1_FORM_VV(vfmax, Maximum) D1_FORM_VF(vfmax, Maximum)
};

// vpternlog of the sign's source, the magnitude and a mask of the sign.
std::uint8_t sign_selection(Kind kind) noexcept {
  return kind == Kind::Take ? 0xe4 : kind == Kind::TakeNegated ? 0x4e : 0x6c;
}

// vrange: the smaller or larger number with its own sign; of zeros the one with a sign, or without.
constexpr std::uint8_t kSmaller = 4, kLarger = 5;

}  // namespace

bool RegionEmitter::emit_vector_sign(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  const unsigned width = state_.sew_log2;
  if (!same_width_allowed(operation, second) || width < 5) return false;
  const bool single = width == 5, selects = kind == Kind::Minimum || kind == Kind::Maximum;
  const Format format = single ? Format::Single : Format::Double;
  with_second(operation, second, Elements::Floats, [&] {
    for_active(masking(operation), width, state_.registers(),
               [&](unsigned i, const Opmask& active) {
                 const Zmm b = second_vector(operation, second, i);
                 const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
                 if (selects) {
                   select_number(format, a, b, active,
                                 kind == Kind::Minimum ? kSmaller : kLarger);
                 } else {
                   const std::uint64_t sign = single ? 0x80000000'80000000 : 0x80000000'00000000;
                   vmovdqa64(zmm14, b);
                   vpternlogq(zmm14, a, ptr_b[rip + constant128(sign, 0)], sign_selection(kind));
                 }
                 write_active(operation.rd + i, zmm14, active, width);
               });
  });
  return true;
}

// Of a NaN and a number the number; of two NaNs the canonical one.
void RegionEmitter::select_number(Format format, const Zmm& a, const Zmm& b, const Opmask& active,
                                  std::uint8_t which) {
  Label nan, back;
  if (format == Format::Single) vrangeps(only(zmm14, active), a, b, which);
  else vrangepd(only(zmm14, active), a, b, which);
  compare_unordered(format, k2 | active, a, b);
  kortestw(k2, k2);
  jnz(nan, T_NEAR);
  L(back);
  out_of_line([this, format, a, b, active, nan, back]() mutable {
    L(nan);
    const unsigned width = format == Format::Single ? 5 : 6;
    compare_unordered(format, k2 | active, a, a);
    load_elements(zmm14 | k2, b, width);
    compare_unordered(format, k3 | active, b, b);
    load_elements(zmm14 | k3, a, width);
    kandw(k2, k2, k3);
    blend_canonical(format, k2, zmm14);
    jmp(back, T_NEAR);
  });
}

}  // namespace d1::emulator
