// SPDX-License-Identifier: Apache-2.0
// mma.bf16 as eight vdpbf16ps, which sum each pair as Xd1 does: the odd element first, rounded to
// nearest, denormals flushed. Operands are read from memory by broadcasts, which cost the host no
// shuffle; so A and B are not kept in registers, only C is.
#include <d1/isa/semantics/xd1.hpp>

#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Zmm;

bool RegionEmitter::emit_matrix(const Operation& operation) {
  if (operation.id != InstructionId::mma_bf16 || !__builtin_cpu_supports("avx512bf16"))
    return false;
  const unsigned c = operation.rd, a = operation.rs1, b = operation.rs2;
  const auto in_c = [c](unsigned guest) { return guest >= c && guest < c + 4; };
  if (c % 4 != 0 || in_c(a) || in_c(b)) return false;
  vectors_.exclude(a);
  vectors_.exclude(b);
  const auto place = [](unsigned guest, unsigned byte_offset) {
    return static_cast<int>(guest * isa::kVlenBytes + byte_offset);
  };
  uses_matrix_ = true;
  mov(rdx, hart_field(offset_of(&isa::Hart::v)));
  const Zmm halves[] = {Zmm(kFirstHalf), Zmm(kFirstHalf + 1)};
  for (unsigned pair = 0; pair < 2; ++pair)
    vbroadcasti64x4(halves[pair], ptr[rdx + place(b, 32 * pair)]);
  for (unsigned row = 0; row < 4; ++row) {
    vectors_.note(c + row);
    const int host = vectors_.host(c + row);
    const Zmm sum(host >= 0 ? host : kThirdScratchVector);
    if (host < 0) vmovdqa64(sum, v_in_memory(c + row));
    // Rows 2r and 2r + 1 of C in the halves of a register: pairs p of A's rows by p, 2 + p.
    vbroadcasti32x4(zmm13, ptr[rdx + place(a, 16 * row)]);
    for (unsigned pair = 0; pair < 2; ++pair) {
      vpermilps(zmm14, zmm13, Zmm(kFirstPairOrder + static_cast<int>(pair)));
      vdpbf16ps(sum, zmm14, halves[pair]);
    }
    if (host >= 0) {
      vectors_.note_write(c + row);
      pending_nans_ |= 1u << (c + row);
      continue;
    }
    compare_unordered(Format::Single, k1, sum, sum);
    blend_canonical(Format::Single, sum);
    write_vector(c + row, sum);
  }
  relies_on_ |= kVectorReady;
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
