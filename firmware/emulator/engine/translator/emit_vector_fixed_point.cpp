// SPDX-License-Identifier: Apache-2.0
// Vector fixed point: sums and differences that saturate, and averages, rounded as vxrm says.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

enum class Work : std::uint8_t { Add, Subtract };

struct Saturating {
  Work work;
  bool is_signed;
};
#define D1_SATURATING(name, work, is_signed)                                  \
  {isa::InstructionId::name##_vv, {{Work::work, is_signed}, Second::Vector}}, \
  {isa::InstructionId::name##_vx, {{Work::work, is_signed}, Second::Scalar}},
const VectorForms<Saturating> kSaturating = {
    D1_SATURATING(vsaddu, Add, false)
    D1_SATURATING(vsadd, Add, true)
    D1_SATURATING(vssubu, Subtract, false)
    D1_SATURATING(vssub, Subtract, true)
    {isa::InstructionId::vsaddu_vi, {{Work::Add, false}, Second::Immediate}},
    {isa::InstructionId::vsadd_vi, {{Work::Add, true}, Second::Immediate}},
};
const VectorForms<Saturating> kAverages = {
    D1_SATURATING(vaaddu, Add, false)
    D1_SATURATING(vaadd, Add, true)
    D1_SATURATING(vasubu, Subtract, false)
    D1_SATURATING(vasub, Subtract, true)
};
#undef D1_SATURATING

// The host's, of bytes and half-words, by Work and sign.
using G = Xbyak::CodeGenerator;
constexpr HostBinary kHost[2][2][2] = {
    {{&G::vpaddusb, &G::vpaddusw}, {&G::vpaddsb, &G::vpaddsw}},
    {{&G::vpsubusb, &G::vpsubusw}, {&G::vpsubsb, &G::vpsubsw}}};

constexpr std::uint8_t kLess = 1, kUnequal = 4;
// vpternlog: of a, b and the result the bits that tell of an overflow in their signs.
constexpr std::uint8_t kSumOverflows = 0x42, kDifferenceOverflows = 0x18;
constexpr std::uint8_t kOnes = 0xff;
// Its second operand where the third has ones, else its first; and (a & b) ^ c.
constexpr std::uint8_t kSelect = 0xd8, kAndXor = 0x6a;

constexpr std::uint64_t sign_bits(unsigned width_log2) {
  return in_each_element(std::uint64_t{1} << ((1u << width_log2) - 1), width_log2);
}

}  // namespace

// --- vxsat: bits of saturated elements are collected in k4 ---------------------------------------

void RegionEmitter::begin_saturation() { kxorq(k4, k4, k4); }

void RegionEmitter::end_saturation() {
  kortestq(k4, k4);
  setnz(al);
  or_(hart_field8(offset_of(&isa::Hart::vxsat)), al);
}

// --- saturating sums -----------------------------------------------------------------------------

// zmm14 = the result, k2 = which active elements saturate.
void RegionEmitter::add_saturating(const Zmm& a, const Zmm& b, bool subtracts, bool is_signed,
                                   const Opmask& active) {
  const unsigned width = state_.sew_log2;
  const Zmm other = extra_scratch(0);
  const auto plain = [&](const Zmm& to) {
    subtracts ? subtract_elements(to, a, b, width) : add_elements(to, a, b, width);
  };
  if (width <= 4) {
    (this->*kHost[subtracts ? 1 : 0][is_signed ? 1 : 0][width - 3])(zmm14, a, b);
    plain(other);
    width == 3 ? vpcmpub(k2 | active, zmm14, other, kUnequal)
               : vpcmpuw(k2 | active, zmm14, other, kUnequal);
    return;
  }
  const bool wide = width == 6;
  plain(zmm14);
  if (!is_signed) {
    const Zmm& low = subtracts ? a : zmm14;
    const Zmm& high = subtracts ? b : a;
    wide ? vpcmpuq(k2 | active, low, high, kLess) : vpcmpud(k2 | active, low, high, kLess);
    const std::uint8_t limit = subtracts ? 0 : kOnes;
    wide ? vpternlogq(zmm14 | k2, zmm14, zmm14, limit)
         : vpternlogd(zmm14 | k2, zmm14, zmm14, limit);
    return;
  }
  vmovdqa64(other, a);
  vpternlogq(other, b, zmm14, subtracts ? kDifferenceOverflows : kSumOverflows);
  wide ? vpmovq2m(k2, other) : vpmovd2m(k2, other);
  if (active.getIdx() != 0) kandw(k2, k2, active);
  // The limit with the sign of a.
  wide ? vpsraq(other, a, 63) : vpsrad(other, a, 31);
  const auto largest = ptr_b[rip + constant128(~sign_bits(width), 0)];
  wide ? vpxorq(zmm14 | k2, other, largest) : vpxord(zmm14 | k2, other, largest);
}

bool RegionEmitter::emit_saturating(const Operation& operation) {
  const auto found = kSaturating.find(operation.id);
  if (found == kSaturating.end()) return emit_average(operation);
  const auto [kind, second] = found->second;
  if (!same_width_allowed(operation, second)) return false;
  const bool subtracts = kind.work == Work::Subtract, is_signed = kind.is_signed;
  const unsigned width = state_.sew_log2;
  splat_second(operation, second, width);
  begin_saturation();
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    const Zmm b = second_vector(operation, second, i);
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    add_saturating(a, b, subtracts, is_signed, active);
    korq(k4, k4, k2);
    write_active(operation.rd + i, zmm14, active, width);
  });
  end_saturation();
  note_vector(operation);
  return true;
}

// --- averages ------------------------------------------------------------------------------------

// What a half is rounded by, of the lowest bit of the result that was rounded down: the bit where
// `if_odd` has one, inverted where `always` has.
//   vxrm      0 up  1 even  2 down  3 odd
//   if_odd    0     1       0       1
//   always    1     0       0       1
void RegionEmitter::load_rounding(const Zmm& if_odd, const Zmm& always) {
  movzx(eax, hart_field8(offset_of(&isa::Hart::vxrm)));
  mov(edx, eax);
  and_(eax, 1);
  splat(if_odd, state_.sew_log2);
  lea(eax, ptr[rdx + 1]);  // bit 1 is set of 1 and 2 alone
  shr(eax, 1);
  and_(eax, 1);
  xor_(eax, 1);
  splat(always, state_.sew_log2);
}

// to >>= 1, of each element.
void RegionEmitter::halve(const Zmm& to, const Zmm& from, bool is_signed) {
  switch (state_.sew_log2) {
    case 3:
      vpsrlw(to, from, 1);
      if (is_signed) vpternlogq(to, from, ptr_b[rip + constant128(sign_bits(3), 0)], kSelect);
      else vpandq(to, to, ptr_b[rip + constant128(~sign_bits(3), 0)]);
      break;
    case 4: is_signed ? vpsraw(to, from, 1) : vpsrlw(to, from, 1); break;
    case 5: is_signed ? vpsrad(to, from, 1) : vpsrld(to, from, 1); break;
    default: is_signed ? vpsraq(to, from, 1) : vpsrlq(to, from, 1); break;
  }
}

bool RegionEmitter::emit_average(const Operation& operation) {
  const auto found = kAverages.find(operation.id);
  if (found == kAverages.end()) return false;
  const auto [kind, second] = found->second;
  if (!same_width_allowed(operation, second)) return false;
  const bool subtracts = kind.work == Work::Subtract, is_signed = kind.is_signed;
  const unsigned width = state_.sew_log2;
  const Zmm differing = extra_scratch(0), common = extra_scratch(1);
  const Zmm if_odd = extra_scratch(2), always = extra_scratch(3);
  load_rounding(if_odd, always);
  splat_second(operation, second, width);
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    const Zmm b = second_vector(operation, second, i);
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    // a + b = 2 (a & b) + (a ^ b), and a - b = (a ^ b) - 2 (~a & b).
    vpxorq(differing, a, b);
    subtracts ? vpandnq(common, a, b) : vpandq(common, a, b);
    halve(zmm14, differing, is_signed);
    subtracts ? subtract_elements(zmm14, zmm14, common, width)
              : add_elements(zmm14, zmm14, common, width);
    vmovdqa64(common, zmm14);
    vpternlogq(common, if_odd, always, kAndXor);
    vpandq(common, common, differing);
    add_elements(zmm14, zmm14, common, width);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
