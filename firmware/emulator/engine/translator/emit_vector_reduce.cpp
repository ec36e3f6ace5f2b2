// SPDX-License-Identifier: Apache-2.0
// Element 0 of a vector register as a scalar, and reductions, whose result is one.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

struct Reduction {
  HostBinaries of;
  // vs1 may be in every element to begin with; otherwise it is in one, and the others are zero.
  bool repeats;
  bool masks_narrow = true;
};

using G = Xbyak::CodeGenerator;
const std::unordered_map<InstructionId, Reduction> kReductions = {
    {InstructionId::vredsum_vs, {{&G::vpaddb, &G::vpaddw, &G::vpaddd, &G::vpaddq}, false}},
    {InstructionId::vredand_vs, {{&G::vpandd, &G::vpandd, &G::vpandd, &G::vpandq}, true, false}},
    {InstructionId::vredor_vs, {{&G::vpord, &G::vpord, &G::vpord, &G::vporq}, true, false}},
    {InstructionId::vredxor_vs, {{&G::vpxord, &G::vpxord, &G::vpxord, &G::vpxorq}, false, false}},
    {InstructionId::vredmin_vs, {{&G::vpminsb, &G::vpminsw, &G::vpminsd, &G::vpminsq}, true}},
    {InstructionId::vredminu_vs, {{&G::vpminub, &G::vpminuw, &G::vpminud, &G::vpminuq}, true}},
    {InstructionId::vredmax_vs, {{&G::vpmaxsb, &G::vpmaxsw, &G::vpmaxsd, &G::vpmaxsq}, true}},
    {InstructionId::vredmaxu_vs, {{&G::vpmaxub, &G::vpmaxuw, &G::vpmaxud, &G::vpmaxuq}, true}},
};

constexpr unsigned kMostAdditions = 64;  // own: in line, one behind the other

}  // namespace

// Writes element 0 of a register if vl is not 0, and nothing else.
void RegionEmitter::write_first_element(unsigned guest, const Zmm& from) {
  if (state_.length == 0) return;
  if (state_.length == kAnyLength) {
    mov(eax, dword[rbp + hart_offset(length_mask_place())]);
    and_(eax, 1);
  } else {
    mov(eax, 1);
  }
  kmovd(k1, eax);
  write_active(guest, from, k1, state_.sew_log2);
}

bool RegionEmitter::emit_first_element(const Operation& operation) {
  using I = InstructionId;
  const unsigned width = state_.sew_log2;
  if (!state_.known) return false;
  switch (operation.id) {
    case I::vmv_x_s: {
      const Xmm value(read_vector(operation.rs2, kScratchVector).getIdx());
      if (width == 6) vmovq(rax, value);
      else vmovd(eax, value);
      if (width == 3) movsx(rax, al);
      else if (width == 4) movsx(rax, ax);
      else if (width == 5) movsxd(rax, eax);
      write(operation.rd, rax);
      break;
    }
    case I::vmv_s_x:
      load(rax, operation.rs1);
      vmovq(xmm13, rax);
      write_first_element(operation.rd, zmm13);
      break;
    case I::vfmv_f_s: {
      if (width < 5) return false;
      const Xmm value(read_vector(operation.rs2, kScratchVector).getIdx());
      if (width == 5) {  // in a box of ones
        vpcmpeqd(xmm13, xmm13, xmm13);
        vmovss(xmm14, xmm13, value);
        write_float(operation.rd, xmm14);
      } else {
        write_float(operation.rd, value);
      }
      note_float(operation, width == 5 ? Format::Single : Format::Double);
      break;
    }
    case I::vfmv_s_f: {
      if (width < 5) return false;
      Label slow, back;
      Site& site = make_site(operation);
      site.charges = false;
      const Xmm value = read_as(width == 5 ? Format::Single : Format::Double, operation.rs1,
                                kSecondScratchVector, slow);
      write_first_element(operation.rd, Zmm(value.getIdx()));
      L(back);
      relies_on_ |= kFloatReady;
      slow_path(site, slow, back);
      break;
    }
    default:
      return false;
  }
  note_vector(operation);
  return true;
}

// Halves are combined until one element is left. Loses zmm14.
void RegionEmitter::fold(const Zmm& value, const HostBinary& combine, unsigned width_log2) {
  const int index = value.getIdx();
  vextracti64x4(ymm14, value, 1);
  (this->*combine)(Ymm(index), Ymm(index), ymm14);
  vextracti32x4(xmm14, Ymm(index), 1);
  const auto once = [&] { (this->*combine)(Xmm(index), Xmm(index), xmm14); };
  once();
  vpshufd(xmm14, Xmm(index), 0x0e);
  once();
  if (width_log2 == 6) return;
  vpshufd(xmm14, Xmm(index), 0x01);
  once();
  if (width_log2 == 5) return;
  vpsrld(xmm14, Xmm(index), 16);
  once();
  if (width_log2 == 4) return;
  vpsrlw(xmm14, Xmm(index), 8);
  once();
}

bool RegionEmitter::emit_vector_reduction(const Operation& operation) {
  const auto found = kReductions.find(operation.id);
  if (found == kReductions.end()) return emit_ordered_sum(operation);
  const unsigned width = state_.sew_log2, n = state_.registers();
  if (!state_.known || !group_aligned(operation.rs2, n)) return false;
  const Reduction& reduction = found->second;
  const HostBinary combine = reduction.of[width - 3];
  const Zmm first = read_vector(operation.rs1, kSecondScratchVector);
  if (reduction.repeats) {
    switch (width) {
      case 3: vpbroadcastb(zmm13, Xmm(first.getIdx())); break;
      case 4: vpbroadcastw(zmm13, Xmm(first.getIdx())); break;
      case 5: vpbroadcastd(zmm13, Xmm(first.getIdx())); break;
      default: vpbroadcastq(zmm13, Xmm(first.getIdx())); break;
    }
  } else {
    mov(eax, 1);
    kmovd(k3, eax);
    load_elements(zmm13 | k3 | T_z, first, width);
  }
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    const Zmm value = read_vector(operation.rs2 + i, kThirdScratchVector);
    if (width >= 5 || reduction.masks_narrow || active.getIdx() == 0) {
      (this->*combine)(zmm13 | active, zmm13, value);
    } else {
      (this->*combine)(zmm14, zmm13, value);
      load_elements(zmm13 | active, zmm14, width);
    }
  });
  fold(zmm13, combine, width);
  write_first_element(operation.rd, zmm13);
  note_vector(operation);
  return true;
}

// vfredmin and vfredmax: numbers in any order; NaNs go to the semantics.
bool RegionEmitter::emit_float_extreme(const Operation& operation) {
  const bool smallest = operation.id == InstructionId::vfredmin_vs;
  if (!smallest && operation.id != InstructionId::vfredmax_vs) return false;
  const unsigned width = state_.sew_log2, n = state_.registers();
  if (!state_.known || width < 5 || !group_aligned(operation.rs2, n)) return false;
  constexpr std::uint8_t kNans = 0x81, kSmaller = 4, kLarger = 5;  // vfpclass; vrange
  const bool single = width == 5;
  Label slow, back;
  const auto check = [&](const Opmask& to, const Zmm& value) {
    single ? vfpclassps(to, value, kNans) : vfpclasspd(to, value, kNans);
    kortestw(k2, k2);
    jnz(slow, T_NEAR);
  };
  const auto combine = [&](const Xmm& to, const Xmm& a, const Xmm& b) {
    const std::uint8_t which = smallest ? kSmaller : kLarger;
    single ? vrangeps(to, a, b, which) : vrangepd(to, a, b, which);
  };
  Site& site = make_site(operation);
  site.charges = false;
  const Xmm first(read_vector(operation.rs1, kSecondScratchVector).getIdx());
  single ? vbroadcastss(zmm13, first) : vbroadcastsd(zmm13, first);
  check(k2, zmm13);
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    const Zmm value = read_vector(operation.rs2 + i, kThirdScratchVector);
    check(k2 | active, value);
    combine(zmm13 | active, zmm13, value);
  });
  vextracti64x4(ymm14, zmm13, 1);
  combine(ymm13, ymm13, ymm14);
  vextracti32x4(xmm14, ymm13, 1);
  combine(xmm13, xmm13, xmm14);
  vpshufd(xmm14, xmm13, 0x0e);
  combine(xmm13, xmm13, xmm14);
  if (single) {
    vpshufd(xmm14, xmm13, 0x01);
    combine(xmm13, xmm13, xmm14);
  }
  write_first_element(operation.rd, zmm13);
  finish_floats(operation, site, slow, back);
  return true;
}

// vfredusum and vfredosum, which both add in order.
bool RegionEmitter::emit_ordered_sum(const Operation& operation) {
  if (operation.id != InstructionId::vfredosum_vs && operation.id != InstructionId::vfredusum_vs)
    return false;
  const unsigned width = state_.sew_log2, n = state_.registers();
  if (!state_.full() || width < 5 || !operation.vm() || !group_aligned(operation.rs2, n) ||
      state_.vlmax() > kMostAdditions)
    return false;
  const bool single = width == 5;
  const Xmm lane(extra_scratch(0).getIdx());
  const auto add = [&](const Xmm& value) {
    single ? vaddss(xmm13, xmm13, value) : vaddsd(xmm13, xmm13, value);
  };
  vmovdqa64(xmm13, Xmm(read_vector(operation.rs1, kSecondScratchVector).getIdx()));
  for (unsigned i = 0; i < n; ++i) {
    const Zmm source = read_number(operation.rs2 + i, kThirdScratchVector);
    for (unsigned quarter = 0; quarter < 4; ++quarter) {
      const Xmm part(quarter == 0 ? source.getIdx() : kScratchVector);
      if (quarter != 0) vextracti32x4(part, source, static_cast<std::uint8_t>(quarter));
      add(part);
      for (int number = 1; number < (single ? 4 : 2); ++number) {
        vpshufd(lane, part, static_cast<std::uint8_t>(single ? number * 0x55 : 0x0e));
        add(lane);
      }
    }
  }
  Label nan, back;
  single ? vucomiss(xmm13, xmm13) : vucomisd(xmm13, xmm13);
  jp(nan, T_NEAR);
  L(back);
  out_of_line([this, single, nan, back]() mutable {
    L(nan);
    vmovdqa(xmm13, ptr[rip + constant128(single ? 0x7fc00000 : 0x7ff80000'00000000, 0)]);
    jmp(back, T_NEAR);
  });
  write_first_element(operation.rd, zmm13);
  relies_on_ |= kFloatReady;
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
