// SPDX-License-Identifier: Apache-2.0
// The shuffles by which a matrix product packs its operands and unpacks its results. They need many
// registers of the host for a few instructions, so kept ones go to memory before, and come back.
#include <d1/isa/semantics/xd1.hpp>

#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Zmm;

namespace {

constexpr int kSource = 16, kPaired = 0;  // first of eight registers each

}  // namespace

// Eight rows of eight 64-bit elements: pairs of rows interleaved, then the lanes of four such.
void RegionEmitter::transpose_quads() {
  for (int i = 0; i < 4; ++i) {
    const Zmm even(kSource + 2 * i), odd(kSource + 2 * i + 1);
    vpunpcklqdq(Zmm(kPaired + i), even, odd);
    vpunpckhqdq(Zmm(kPaired + 4 + i), even, odd);
  }
}

// Four rows of 32: of the first two and of the last two the pairs along k, in the order of columns
// within each lane.
void RegionEmitter::pair_rows() {
  for (int i = 0; i < 2; ++i) {
    const Zmm even(kSource + 2 * i), odd(kSource + 2 * i + 1);
    vpunpcklwd(Zmm(kPaired + 2 * i), even, odd);
    vpunpckhwd(Zmm(kPaired + 2 * i + 1), even, odd);
  }
}

bool RegionEmitter::emit_shuffle(const Operation& operation) {
  switch (operation.id) {
    case InstructionId::transpose_e64: case InstructionId::pack_b4: case InstructionId::unpack_c:
      break;
    default:
      return false;
  }
  const unsigned registers = isa::xd1_groups(operation.id).vd;
  if (!group_aligned(operation.rd, registers) || !group_aligned(operation.rs1, registers))
    return false;
  settle_all();
  flush_kept(sums_here_);
  point_to_vectors();
  const auto place = [this](unsigned guest) {
    return zword[rdx + static_cast<int>(guest * isa::kVlenBytes)];
  };
  const auto store = [&](unsigned row, const Zmm& value) {
    vmovdqa64(place(operation.rd + row), value);
  };
  for (unsigned i = 0; i < registers; ++i)
    vmovdqa64(Zmm(kSource + static_cast<int>(i)), place(operation.rs1 + i));
  switch (operation.id) {
    case InstructionId::transpose_e64:
      transpose_quads();
      for (unsigned odd = 0; odd < 2; ++odd)
        transpose_lanes(kPaired + 4 * static_cast<int>(odd),
                        [&](unsigned i, const Zmm& value) { store(2 * i + odd, value); });
      break;
    case InstructionId::pack_b4:
      pair_rows();
      transpose_lanes(kPaired, store);
      break;
    default:  // two tiles of 8x8, four registers each: their rows side by side
      for (int i = 0; i < 4; ++i) {
        for (int odd = 0; odd < 2; ++odd) {
          const std::uint8_t halves = odd == 0 ? 0x44 : 0xee;
          vshufi64x2(zmm14, Zmm(kSource + i), Zmm(kSource + 4 + i), halves);
          store(static_cast<unsigned>(2 * i + odd), zmm14);
        }
      }
      break;
  }
  reload_kept();
  sums_here_ = {};
  sums_here_.settled = ~0u;
  forms_ = {};
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
