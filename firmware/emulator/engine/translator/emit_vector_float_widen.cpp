// SPDX-License-Identifier: Apache-2.0
// Vector floating point that makes doubles of singles: operands become doubles, which is exact, and
// the operation rounds once.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

enum class Work : std::uint8_t { Add, Subtract, Multiply, Accumulate };

struct Kind {
  Work work;
  bool first_is_wide = false;  // vs2 holds doubles
  bool negate_product = false, negate_addend = false;
};

#define D1_WIDEN(id, from, ...) {InstructionId::id, {Kind{__VA_ARGS__}, Second::from}},
#define D1_WIDEN_BOTH(name, ...)            \
  D1_WIDEN(name##v, Vector, __VA_ARGS__) \
  D1_WIDEN(name##f, Scalar, __VA_ARGS__)
const VectorForms<Kind> kForms = {
    D1_WIDEN_BOTH(vfwadd_v, Work::Add)
    D1_WIDEN_BOTH(vfwsub_v, Work::Subtract)
    D1_WIDEN_BOTH(vfwmul_v, Work::Multiply)
    D1_WIDEN_BOTH(vfwadd_w, Work::Add, true)
    D1_WIDEN_BOTH(vfwsub_w, Work::Subtract, true)
    D1_WIDEN_BOTH(vfwmacc_v, Work::Accumulate)
    D1_WIDEN_BOTH(vfwnmacc_v, Work::Accumulate, false, true, true)
    D1_WIDEN_BOTH(vfwmsac_v, Work::Accumulate, false, false, true)
    D1_WIDEN_BOTH(vfwnmsac_v, Work::Accumulate, false, true, false)
};
#undef D1_WIDEN_BOTH
#undef D1_WIDEN

}  // namespace

bool RegionEmitter::emit_vector_float_widening(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  const int lmul = state_.lmul_log2, wide = lmul + 1;
  const bool from_vector = second == Second::Vector;
  if (!state_.known || state_.sew_log2 != 5 || wide > 3 || !destination_allowed(operation) ||
      !group_aligned(operation.rd, registers_of_group(wide)) ||
      !group_aligned(operation.rs2, registers_of_group(kind.first_is_wide ? wide : lmul)) ||
      (!kind.first_is_wide && !widening_allowed(operation.rd, wide, operation.rs2, lmul)) ||
      (from_vector && (!group_aligned(operation.rs1, state_.registers()) ||
                       !widening_allowed(operation.rd, wide, operation.rs1, lmul))))
    return false;
  constexpr unsigned kWidth = 6;
  Label slow, back;
  Site& site = make_site(operation);
  site.charges = false;
  // Singles in all elements: they become doubles where they are used, and raise flags only there.
  const Zmm splat = extra_scratch(0);
  if (!from_vector)
    vbroadcastss(splat, read_as(Format::Single, operation.rs1, kSecondScratchVector, slow));
  for_active(masking(operation), kWidth, registers_of_group(wide),
             [&](unsigned i, const Opmask& active) {
    if (from_vector)
      vcvtps2pd(only(zmm13, active), narrow_part(operation.rs1, i, 1, kSecondScratchVector));
    else
      vcvtps2pd(only(zmm13, active), Ymm(splat.getIdx()));
    Zmm a = zmm12;
    if (kind.first_is_wide)
      a = read_number(Format::Double, operation.rs2 + i, kThirdScratchVector);
    else
      vcvtps2pd(only(zmm12, active), narrow_part(operation.rs2, i, 1, kThirdScratchVector));
    const Zmm to = only(zmm14, active);
    switch (kind.work) {
      case Work::Add: vaddpd(to, a, zmm13); break;
      case Work::Subtract: vsubpd(to, a, zmm13); break;
      case Work::Multiply: vmulpd(to, a, zmm13); break;
      case Work::Accumulate: {
        const Zmm sum = read_number(Format::Double, operation.rd + i, kScratchVector);
        if (sum.getIdx() != kScratchVector) vmovapd(zmm14, sum);
        fused({true, kind.negate_product, kind.negate_addend}, Format::Double, to, zmm12, zmm13);
        break;
      }
    }
    RaiseProduct product;
    if (kind.work == Work::Accumulate)
      product = [this](const Opmask& where) {
        raise_invalid_product(Format::Double, where, kConverted, kSplatted);
      };
    canonical_result(Format::Double, product);
    write_active(operation.rd + i, zmm14, active, kWidth);
  });
  finish_floats(operation, site, slow, back);
  return true;
}

}  // namespace d1::emulator
