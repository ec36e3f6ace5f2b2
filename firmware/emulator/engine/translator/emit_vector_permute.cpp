// SPDX-License-Identifier: Apache-2.0
// Slides by known distances, and gathers from groups of one or two registers.
#include <algorithm>

#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

constexpr unsigned kBytes = isa::kVlenBytes;

}  // namespace

// zmm14 = the 64 bytes from `distance` on of the 128 of high and low. 0 < distance < 64.
void RegionEmitter::align_pair(const Zmm& high, const Zmm& low, unsigned distance) {
  if (distance % 4 == 0) {
    valignd(zmm14, high, low, static_cast<std::uint8_t>(distance / 4));
  } else if (distance % 2 == 0) {
    vmovdqa64(zmm14, zword[rip + constant512(counting(distance / 2, 4))]);
    vpermi2w(zmm14, low, high);
  } else {
    vmovdqa64(zmm14, zword[rip + constant512(counting(distance, 3))]);
    vpermi2b(zmm14, low, high);
  }
}

bool RegionEmitter::emit_slide(const Operation& operation) {
  const bool up = operation.id == InstructionId::vslideup_vi;
  const unsigned n = state_.registers(), width = state_.sew_log2;
  if ((!up && operation.id != InstructionId::vslidedown_vi) ||
      !same_width_allowed(operation, Second::UnsignedImmediate) ||
      (up && operation.rd == operation.rs2))
    return false;
  const unsigned distance = operation.rs1 << width >> 3, inside = distance % kBytes;
  if (inside % 2 != 0 && !permutes_bytes()) return false;
  if (operation.rs1 == 0 && operation.rd == operation.rs2) {
    note_vector(operation);
    return true;
  }
  const auto skipped = static_cast<int>(distance / kBytes);
  // What is not there is zero.
  const auto source = [&](int chunk, int scratch) {
    if (chunk < 0 || chunk >= static_cast<int>(n)) {
      vpxord(Zmm(scratch), Zmm(scratch), Zmm(scratch));
      return Zmm(scratch);
    }
    const Zmm value = read_vector(operation.rs2 + static_cast<unsigned>(chunk), scratch);
    if (state_.lmul_log2 >= 0) return value;
    set_mask(k3, state_.vlmax());
    load_elements(Zmm(scratch) | k3 | T_z, value, width);
    return Zmm(scratch);
  };
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    const int chunk = static_cast<int>(i);
    const unsigned count = 512u >> width, first = i * count;
    if (up && first + count <= operation.rs1) return;
    Zmm result = zmm14;
    if (inside == 0) {
      result = source(up ? chunk - skipped : chunk + skipped, kScratchVector);
    } else if (up) {
      const Zmm high = source(chunk - skipped, kSecondScratchVector);
      align_pair(high, source(chunk - skipped - 1, kThirdScratchVector), kBytes - inside);
    } else {
      const Zmm low = source(chunk + skipped, kThirdScratchVector);
      align_pair(source(chunk + skipped + 1, kSecondScratchVector), low, inside);
    }
    if (!up || first >= operation.rs1) return write_active(operation.rd + i, result, active, width);
    // Elements below the distance stay.
    set_mask(k3, operation.rs1 - first);
    knotq(k3, k3);
    if (active.getIdx() != 0) kandq(k3, k3, active);
    write_active(operation.rd + i, result, k3, width);
  });
  note_vector(operation);
  return true;
}

// By one element, a scalar coming in at the end that is free.
bool RegionEmitter::emit_slide_by_one(const Operation& operation) {
  using I = InstructionId;
  const bool up = operation.id == I::vslide1up_vx || operation.id == I::vfslide1up_vf;
  const bool is_float = operation.id == I::vfslide1up_vf || operation.id == I::vfslide1down_vf;
  if (!up && operation.id != I::vslide1down_vx && operation.id != I::vfslide1down_vf) return false;
  const unsigned n = state_.registers(), width = state_.sew_log2, bytes = 1u << width >> 3;
  if (!same_width_allowed(operation, Second::Scalar) || (is_float && width < 5) ||
      (up && operation.rd == operation.rs2) || (!up && state_.length == kAnyLength) ||
      (bytes == 1 && !permutes_bytes()))
    return false;
  const unsigned count = 512u >> width;
  const unsigned last = up ? 0 : static_cast<unsigned>(std::max<int>(state_.length, 1) - 1);
  const Elements elements = is_float ? Elements::Floats : Elements::Integers;
  with_second(operation, Second::Scalar, elements, [&] {
    for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
      // What comes from beyond the group is never used.
      const unsigned neighbour = up ? (i == 0 ? 0 : i - 1) : std::min(i + 1, n - 1);
      const Zmm here = read_vector(operation.rs2 + i, kThirdScratchVector);
      Zmm there = here;
      if (neighbour != i) {
        const Zmm scratch = extra_scratch(0);
        there = read_vector(operation.rs2 + neighbour, scratch.getIdx());
      }
      if (up) align_pair(here, there, kBytes - bytes);
      else align_pair(there, here, bytes);
      if (i == last / count) {
        mov(rax, std::uint64_t{1} << last % count);
        kmovq(k3, rax);
        load_elements(zmm14 | k3, zmm13, width);
      }
      write_active(operation.rd + i, zmm14, active, width);
    });
  });
  return true;
}

bool RegionEmitter::emit_gather(const Operation& operation) {
  if (operation.id != InstructionId::vrgather_vv ||
      !same_width_allowed(operation, Second::Vector) || operation.rd == operation.rs1 ||
      operation.rd == operation.rs2)
    return false;
  const unsigned n = state_.registers(), width = state_.sew_log2;
  if (n > 2 || (width == 3 && !permutes_bytes())) return false;
  std::array<std::uint64_t, 8> limit;
  limit.fill(in_each_element(state_.vlmax(), width));
  constexpr std::uint8_t kLess = 1;
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    const Zmm low = read_vector(operation.rs2, kThirdScratchVector);
    const Zmm high = n == 1 ? low : read_vector(operation.rs2 + 1, kSecondScratchVector);
    const Zmm index = read_vector(operation.rs1 + i, kScratchVector);
    const auto most = zword[rip + constant512(limit)];
    if (index.getIdx() != kScratchVector) vmovdqa64(zmm14, index);
    const Zmm to = zmm14 | k3 | T_z;  // zero where there is no such element
    switch (width) {
      case 3: vpcmpub(k3, index, most, kLess); vpermi2b(to, low, high); break;
      case 4: vpcmpuw(k3, index, most, kLess); vpermi2w(to, low, high); break;
      case 5: vpcmpud(k3, index, most, kLess); vpermi2d(to, low, high); break;
      default: vpcmpuq(k3, index, most, kLess); vpermi2q(to, low, high); break;
    }
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
