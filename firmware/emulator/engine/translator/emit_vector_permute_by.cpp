// SPDX-License-Identifier: Apache-2.0
// Permutations that a scalar or a mask directs. By a register only groups of one: longer ones go to
// the semantics.
#include <algorithm>

#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

constexpr std::uint8_t kLess = 1, kAtMost = 2;

bool compresses_narrow() noexcept { return __builtin_cpu_supports("avx512vbmi2"); }

}  // namespace

// Of unsigned elements.
void RegionEmitter::compare_elements(const Opmask& to, const Zmm& a, const Xbyak::Operand& b,
                                     std::uint8_t predicate) {
  switch (state_.sew_log2) {
    case 3: vpcmpub(to, a, b, predicate); break;
    case 4: vpcmpuw(to, a, b, predicate); break;
    case 5: vpcmpud(to, a, b, predicate); break;
    default: vpcmpuq(to, a, b, predicate); break;
  }
}

// rax = the scalar, or VLMAX if that is less. Loses rdx.
void RegionEmitter::load_at_most_vlmax(const Operation& operation) {
  load(rax, operation.rs1);
  mov(edx, state_.vlmax());
  cmp(rax, rdx);
  cmova(rax, rdx);
}

// One element, in all places: vrgather.vi and .vx.
bool RegionEmitter::emit_gather_one(const Operation& operation) {
  const bool immediate = operation.id == InstructionId::vrgather_vi;
  const unsigned width = state_.sew_log2, count = 512u >> width, n = state_.registers();
  if ((!immediate && (operation.id != InstructionId::vrgather_vx || n > 1)) ||
      !same_width_allowed(operation, Second::Scalar) || operation.rd == operation.rs2 ||
      (width == 3 && !permutes_bytes()))
    return false;
  const unsigned number = operation.rs1;
  if (immediate && number >= state_.vlmax()) {
    vpxord(zmm13, zmm13, zmm13);
  } else {
    const unsigned guest = operation.rs2 + (immediate ? number / count : 0);
    if (immediate) mov(eax, number % count);
    else load_at_most_vlmax(operation);
    splat(zmm13, width);
    if (!immediate)
      compare_elements(k3, zmm13, zword[rip + constant512(filled(state_.vlmax(), width))], kLess);
    permute(zmm13, read_vector(guest, kThirdScratchVector), width);
    if (!immediate) {
      vpxord(zmm14, zmm14, zmm14);
      load_elements(zmm14 | k3, zmm13, width);
      vmovdqa64(zmm13, zmm14);
    }
  }
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    write_active(operation.rd + i, zmm13, active, width);
  });
  note_vector(operation);
  return true;
}

bool RegionEmitter::emit_slide_by_register(const Operation& operation) {
  const bool up = operation.id == InstructionId::vslideup_vx;
  const unsigned width = state_.sew_log2;
  if ((!up && operation.id != InstructionId::vslidedown_vx) || state_.registers() > 1 ||
      !same_width_allowed(operation, Second::Scalar) || (up && operation.rd == operation.rs2) ||
      (width == 3 && !permutes_bytes()))
    return false;
  const auto numbers = zword[rip + constant512(counting(0, width))];
  for_active(masking(operation), width, 1, [&](unsigned, const Opmask& active) {
    load_at_most_vlmax(operation);
    splat(zmm13, width);
    vmovdqa64(zmm14, numbers);
    if (up) {  // elements below the distance stay
      compare_elements(k3, zmm13, zmm14, kAtMost);
      if (active.getIdx() != 0) kandq(k3, k3, active);
      subtract_elements(zmm14, zmm14, zmm13, width);
      permute(zmm14, read_vector(operation.rs2, kThirdScratchVector), width);
      return write_active(operation.rd, zmm14, k3, width);
    }
    add_elements(zmm14, zmm14, zmm13, width);
    compare_elements(k3, zmm14, zword[rip + constant512(filled(state_.vlmax(), width))], kLess);
    permute(zmm14, read_vector(operation.rs2, kThirdScratchVector), width);
    vpxord(zmm13, zmm13, zmm13);  // what is not there
    load_elements(zmm13 | k3, zmm14, width);
    write_active(operation.rd, zmm13, active, width);
  });
  note_vector(operation);
  return true;
}

bool RegionEmitter::emit_compress(const Operation& operation) {
  const unsigned width = state_.sew_log2;
  if (operation.id != InstructionId::vcompress_vm || !state_.known || state_.registers() > 1 ||
      operation.rd == operation.rs2 || operation.rd == operation.rs1 ||
      (width < 5 && !compresses_narrow()))
    return false;
  vectors_.exclude(operation.rs1);
  for_active(Masking::None, width, 1, [&](unsigned, const Opmask& active) {
    const Zmm from = read_vector(operation.rs2, kThirdScratchVector);
    point_to_vectors();
    load_mask(k2, rdx + static_cast<int>(operation.rs1 * isa::kVlenBytes), width);
    if (active.getIdx() != 0) kandq(k2, k2, active);
    const Zmm to = zmm14 | k2 | T_z;
    switch (width) {
      case 3: vcompressb(to, from); break;
      case 4: vcompressw(to, from); break;
      case 5: vpcompressd(to, from); break;
      default: vpcompressq(to, from); break;
    }
    kmovq(rax, k2);
    popcnt(rax, rax);
    mov(rdx, -1);
    bzhi(rdx, rdx, rax);
    kmovq(k3, rdx);
    write_active(operation.rd, zmm14, k3, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
