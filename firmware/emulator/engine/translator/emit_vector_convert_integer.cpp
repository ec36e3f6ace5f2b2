// SPDX-License-Identifier: Apache-2.0
// Conversions between floating-point numbers and integers of twice or half the width. What may not
// fit goes to the semantics before it is converted, so that no flag is raised too many.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

using Unary = void (Xbyak::CodeGenerator::*)(const Xmm&, const Xbyak::Operand&);
using G = Xbyak::CodeGenerator;

// Bits of the least and the largest number that is surely converted.
struct Range {
  std::uint64_t least, most;
};
struct Kind {
  bool is_signed;
  Unary convert;
};

const std::unordered_map<InstructionId, Kind> kSinglesToLong = {
    {InstructionId::vfwcvt_x_f_v, {true, &G::vcvtps2qq}},
    {InstructionId::vfwcvt_xu_f_v, {false, &G::vcvtps2uqq}},
    {InstructionId::vfwcvt_rtz_x_f_v, {true, &G::vcvttps2qq}},
    {InstructionId::vfwcvt_rtz_xu_f_v, {false, &G::vcvttps2uqq}}};
const std::unordered_map<InstructionId, Kind> kDoublesToWords = {
    {InstructionId::vfncvt_x_f_w, {true, &G::vcvtpd2dq}},
    {InstructionId::vfncvt_xu_f_w, {false, &G::vcvtpd2udq}},
    {InstructionId::vfncvt_rtz_x_f_w, {true, &G::vcvttpd2dq}},
    {InstructionId::vfncvt_rtz_xu_f_w, {false, &G::vcvttpd2udq}}};
const std::unordered_map<InstructionId, Kind> kSinglesToHalves = {
    {InstructionId::vfncvt_x_f_w, {true, &G::vcvtps2dq}},
    {InstructionId::vfncvt_xu_f_w, {false, &G::vcvtps2dq}},
    {InstructionId::vfncvt_rtz_x_f_w, {true, &G::vcvttps2dq}},
    {InstructionId::vfncvt_rtz_xu_f_w, {false, &G::vcvttps2dq}}};
const std::unordered_map<InstructionId, Kind> kLongToSingles = {
    {InstructionId::vfncvt_f_x_w, {true, &G::vcvtqq2ps}},
    {InstructionId::vfncvt_f_xu_w, {false, &G::vcvtuqq2ps}}};

constexpr std::uint64_t singles(std::uint32_t bits) { return in_each_element(bits, 5); }
// -2^63, and 2^63 and 2^64 less one unit in the last place.
constexpr Range kLong[] = {{0, singles(0x5f7fffff)}, {singles(0xdf000000), singles(0x5effffff)}};
constexpr Range kWords[] = {{0, 0x41efffff'ffe00000}, {0xc1e00000'00000000, 0x41dfffff'ffc00000}};
constexpr Range kHalves[] = {{0, singles(0x477fff00)}, {singles(0xc7000000), singles(0x46fffe00)}};

const Kind* find(const std::unordered_map<InstructionId, Kind>& kinds, InstructionId id) {
  const auto found = kinds.find(id);
  return found != kinds.end() ? &found->second : nullptr;
}

}  // namespace

// `slow` is taken unless all active elements lie between two numbers. Loses k2 and k4.
void RegionEmitter::check_numbers(Format format, const Xmm& numbers, const Opmask& active,
                                  std::uint64_t least, std::uint64_t most, Label& slow) {
  constexpr std::uint8_t kNotAtLeast = 0x19, kNotAtMost = 0x16;  // quiet, and true of NaNs
  const auto outside = [&](const Opmask& to, std::uint64_t limit, std::uint8_t predicate) {
    const auto place = ptr_b[rip + constant128(limit, 0)];
    format == Format::Single ? vcmpps(to | active, numbers, place, predicate)
                             : vcmppd(to | active, numbers, place, predicate);
  };
  outside(k2, least, kNotAtLeast);
  outside(k4, most, kNotAtMost);
  kortestw(k2, k4);
  jnz(slow, T_NEAR);
}

// The active elements of half a register, in k3 or k0.
Opmask RegionEmitter::mask_of_half(const Opmask& active, unsigned half, unsigned count) {
  if (active.getIdx() == 0) return k0;
  kshiftrd(k3, active, static_cast<std::uint8_t>(half * count));
  return k3;
}

bool RegionEmitter::emit_wide_conversion(const Operation& operation) {
  const unsigned width = state_.sew_log2;
  const int lmul = state_.lmul_log2, wide = lmul + 1;
  const unsigned n = registers_of_group(lmul), wide_n = registers_of_group(wide);
  if (!state_.known || wide > 3 || !destination_allowed(operation)) return false;
  if (const Kind* const kind = width == 5 ? find(kSinglesToLong, operation.id) : nullptr) {
    if (!group_aligned(operation.rd, wide_n) || !group_aligned(operation.rs2, n) ||
        !widening_allowed(operation.rd, wide, operation.rs2, lmul))
      return false;
    const Range& range = kLong[kind->is_signed ? 1 : 0];
    return convert_checked(operation, 6, wide_n, [&](const ConversionStep& step) {
      vmovdqu32(ymm12, narrow_part(operation.rs2, step.chunk, 1, kThirdScratchVector));
      if (step.check)
        check_numbers(Format::Single, ymm12, step.active, range.least, range.most, *step.slow);
      if (step.convert) (this->*kind->convert)(only(zmm14, step.active), ymm12);
    });
  }
  if (!group_aligned(operation.rd, n) || !group_aligned(operation.rs2, wide_n) ||
      !narrowing_allowed(operation.rd, lmul, operation.rs2, wide))
    return false;
  const auto each_half = [&](const ConversionStep& step, const auto& emit) {
    for (unsigned half = 0; half < 2 && 2 * step.chunk + half < wide_n; ++half)
      emit(operation.rs2 + 2 * step.chunk + half, half,
           mask_of_half(step.active, half, 512u >> (width + 1)));
  };
  // The half that a step made in ymm14 or ymm13.
  const auto place = [this](unsigned half, const Opmask& active) {
    return only(half == 0 ? zmm14 : zmm13, active);
  };
  const auto join = [this](unsigned half) {
    if (half == 1) vinserti64x4(zmm14, zmm14, ymm13, 1);
  };
  if (const Kind* const kind = width == 5 ? find(kDoublesToWords, operation.id) : nullptr) {
    const Range& range = kWords[kind->is_signed ? 1 : 0];
    return convert_checked(operation, width, n, [&](const ConversionStep& step) {
      each_half(step, [&](unsigned guest, unsigned half, const Opmask& active) {
        const Zmm from = read_number(Format::Double, guest, kThirdScratchVector);
        if (step.check)
          check_numbers(Format::Double, from, active, range.least, range.most, *step.slow);
        if (!step.convert) return;
        const Ymm to(place(half, k0).getIdx());
        (this->*kind->convert)(active.getIdx() == 0 ? to : to | active | T_z, from);
        join(half);
      });
    });
  }
  if (const Kind* const kind = width == 4 ? find(kSinglesToHalves, operation.id) : nullptr) {
    const Range& range = kHalves[kind->is_signed ? 1 : 0];
    return convert_checked(operation, width, n, [&](const ConversionStep& step) {
      each_half(step, [&](unsigned guest, unsigned half, const Opmask& active) {
        const Zmm from = read_number(Format::Single, guest, kThirdScratchVector);
        if (step.check)
          check_numbers(Format::Single, from, active, range.least, range.most, *step.slow);
        if (!step.convert) return;
        (this->*kind->convert)(only(zmm12, active), from);
        vpmovdw(Ymm(place(half, k0).getIdx()), zmm12);
        join(half);
      });
    });
  }
  const Kind* const kind = width == 5 ? find(kLongToSingles, operation.id) : nullptr;
  if (kind == nullptr) return false;
  for_active(masking(operation), width, n, [&](unsigned chunk, const Opmask& active) {
    each_half({chunk, active, nullptr, false, true},
              [&](unsigned guest, unsigned half, const Opmask& mask) {
                const Zmm from = read_vector(guest, kThirdScratchVector);
                const Ymm to(place(half, k0).getIdx());
                (this->*kind->convert)(mask.getIdx() == 0 ? to : to | mask | T_z, from);
                join(half);
              });
    write_active(operation.rd + chunk, zmm14, active, width);
  });
  relies_on_ |= kFloatReady;
  note_vector(operation);
  return true;
}

// Runs the steps of a conversion whose operands may send it to the semantics: all checks come
// before the first result where that goes over an operand.
bool RegionEmitter::convert_checked(const Operation& operation, unsigned width, unsigned registers,
                                    const EmitConversion& emit) {
  const int lmul = state_.lmul_log2;
  const bool widens = width > state_.sew_log2;
  const bool overlaps = groups_overlap(operation.rd, widens ? lmul + 1 : lmul, operation.rs2,
                                       widens ? lmul : lmul + 1);
  const bool first_all = overlaps && registers > 1;
  Label slow, back;
  Site& site = make_site(operation);
  site.charges = false;
  const auto pass = [&](bool check, bool convert) {
    for_active(masking(operation), width, registers, [&](unsigned chunk, const Opmask& active) {
      emit({chunk, active, &slow, check, convert});
      if (convert) write_active(operation.rd + chunk, zmm14, active, width);
    });
  };
  if (first_all) pass(true, false);
  pass(!first_all, true);
  finish_floats(operation, site, slow, back);
  return true;
}

}  // namespace d1::emulator
