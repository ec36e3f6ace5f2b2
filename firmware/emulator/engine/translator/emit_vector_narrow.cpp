// SPDX-License-Identifier: Apache-2.0
// Shifts whose result is half as wide as what they shift, cut off or clipped.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

struct Kind {
  bool is_signed, clips;
};
#define D1_NARROW(name, is_signed, clips)                                      \
  {isa::InstructionId::name##_wv, {{is_signed, clips}, Second::Vector}},       \
  {isa::InstructionId::name##_wx, {{is_signed, clips}, Second::Scalar}},       \
  {isa::InstructionId::name##_wi, {{is_signed, clips}, Second::UnsignedImmediate}},
const VectorForms<Kind> kForms = {
    D1_NARROW(vnsrl, false, false)
    D1_NARROW(vnsra, true, false)
    D1_NARROW(vnclipu, false, true)
    D1_NARROW(vnclip, true, true)
};
#undef D1_NARROW

constexpr std::uint8_t kMoreThan = 6;

}  // namespace

bool RegionEmitter::emit_vector_narrowing(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  const unsigned width = state_.sew_log2, wide_width = width + 1;
  const int lmul = state_.lmul_log2, wide = lmul + 1;
  const unsigned sources = registers_of_group(wide), n = state_.registers();
  if (!state_.known || wide_width > 6 || wide > 3 || !destination_allowed(operation) ||
      !group_aligned(operation.rd, n) || !group_aligned(operation.rs2, sources) ||
      (second == Second::Vector && !group_aligned(operation.rs1, n)) ||
      !narrowing_allowed(operation.rd, lmul, operation.rs2, wide))
    return false;
  const bool is_signed = kind.is_signed, clips = kind.clips;
  const bool shifts = second != Second::UnsignedImmediate || operation.rs1 != 0;
  const std::uint32_t amount_bits = (1u << wide_width) - 1;
  Label slow, back;
  if (clips && shifts) load_half_rounding(wide_width, slow);
  Site* const site = clips && shifts ? &make_site(operation) : nullptr;
  if (site != nullptr) site->charges = false;
  load_second(operation, second);
  if (second != Second::Vector) {
    and_(eax, amount_bits);
    splat(zmm13, wide_width);
  }
  if (clips) begin_saturation();
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    for (unsigned half = 0; half < 2 && 2 * i + half < sources; ++half) {
      const unsigned source = 2 * i + half;
      Zmm a = read_vector(operation.rs2 + source, kThirdScratchVector);
      if (second == Second::Vector) {
        extend(zmm13, operation.rs1, source, wide_width, 1, Extend::Zero);
        const std::uint64_t bits = in_each_element(amount_bits, wide_width);
        vpandq(zmm13, zmm13, ptr_b[rip + constant128(bits, 0)]);
      }
      if (shifts) {
        if (clips) load_lost_half(a, wide_width);
        shift_right(zmm12, a, zmm13, wide_width, is_signed);
        if (clips) add_elements(zmm12, zmm12, extra_scratch(0), wide_width);
        a = zmm12;
      }
      const Ymm to = half == 0 ? ymm14 : ymm12;
      if (clips) clip(to, a, wide_width, is_signed, half, active);
      else truncate(to, a, wide_width);
      if (half == 1) vinserti64x4(zmm14, zmm14, ymm12, 1);
    }
    write_active(operation.rd + i, zmm14, active, width);
  });
  if (clips) end_saturation();
  L(back);
  note_vector(operation);
  if (site != nullptr) slow_path(*site, slow, back);
  return true;
}

// --- rounding to nearest up, or down; `slow` is taken for the other modes ------------------------

// extra_scratch(1) = ones where the bit below the result's lowest one counts, by vxrm.
void RegionEmitter::load_half_rounding(unsigned width_log2, Label& slow) {
  movzx(eax, hart_field8(offset_of(&isa::Hart::vxrm)));
  test(al, 1);
  jnz(slow, T_NEAR);
  shr(eax, 1);
  xor_(eax, 1);
  splat(extra_scratch(1), width_log2);
}

// extra_scratch(0) = that bit of a shift by zmm13, if it counts; of a shift by nothing it is zero.
void RegionEmitter::load_lost_half(const Zmm& from, unsigned width_log2) {
  const Zmm half = extra_scratch(0), ones = extra_scratch(2);
  vpternlogd(ones, ones, ones, 0xff);
  add_elements(half, zmm13, ones, width_log2);
  shift_right(half, from, half, width_log2, false);
  vpandq(half, half, extra_scratch(1));
}

// The elements of half a register, as near to their value as half their width can come; which of
// them do not fit is added to k4.
void RegionEmitter::clip(const Ymm& to, const Zmm& from, unsigned width_log2, bool is_signed,
                         unsigned half, const Opmask& active) {
  const unsigned narrow_bits = 1u << (width_log2 - 1), count = 512u >> width_log2;
  const auto constant = [&](std::uint64_t number) {
    return ptr_b[rip + constant128(in_each_element(number, width_log2), 0)];
  };
  const std::uint64_t limit = (std::uint64_t{1} << narrow_bits) - 1;
  if (active.getIdx() == 0) kxnorq(k2, k2, k2);
  else if (half == 0) kmovq(k2, active);
  else kshiftrq(k2, active, static_cast<std::uint8_t>(count));
  Zmm number = from;
  if (is_signed) {  // from zero on
    number = extra_scratch(0);
    const std::uint64_t lowest = std::uint64_t{1} << (narrow_bits - 1);
    width_log2 == 4   ? vmovdqa64(number, zword[rip + constant512(filled(lowest, 4))])
    : width_log2 == 5 ? vpaddd(number, from, constant(lowest))
                      : vpaddq(number, from, constant(lowest));
    if (width_log2 == 4) vpaddw(number, number, from);
  }
  switch (width_log2) {
    case 4:
      vpcmpuw(k2 | k2, number, zword[rip + constant512(filled(limit, 4))], kMoreThan);
      is_signed ? vpmovswb(to, from) : vpmovuswb(to, from);
      break;
    case 5:
      vpcmpud(k2 | k2, number, constant(limit), kMoreThan);
      is_signed ? vpmovsdw(to, from) : vpmovusdw(to, from);
      break;
    default:
      vpcmpuq(k2 | k2, number, constant(limit), kMoreThan);
      is_signed ? vpmovsqd(to, from) : vpmovusqd(to, from);
      break;
  }
  korq(k4, k4, k2);
}

void RegionEmitter::shift_right(const Zmm& to, const Zmm& from, const Zmm& amounts,
                                unsigned width_log2, bool is_signed) {
  switch (width_log2) {
    case 4: is_signed ? vpsravw(to, from, amounts) : vpsrlvw(to, from, amounts); break;
    case 5: is_signed ? vpsravd(to, from, amounts) : vpsrlvd(to, from, amounts); break;
    default: is_signed ? vpsravq(to, from, amounts) : vpsrlvq(to, from, amounts); break;
  }
}

// The lower halves of elements.
void RegionEmitter::truncate(const Ymm& to, const Zmm& from, unsigned width_log2) {
  switch (width_log2) {
    case 4: vpmovwb(to, from); break;
    case 5: vpmovdw(to, from); break;
    default: vpmovqd(to, from); break;
  }
}

}  // namespace d1::emulator
