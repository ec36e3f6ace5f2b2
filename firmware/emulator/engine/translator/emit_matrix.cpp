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
  mov(rdx, hart_field(offset_of(&isa::Hart::v)));
  for (unsigned row = 0; row < 4; ++row) {
    // Rows 2r and 2r + 1 of C in the halves of a register: pairs p of A's rows by p, 2 + p.
    const Zmm sum = read_vector(c + row, kThirdScratchVector);
    const Zmm to(sum.getIdx());
    for (unsigned pair = 0; pair < 2; ++pair) {
      vbroadcasti32x4(zmm14, ptr[rdx + place(a, 16 * row)]);
      vpermilps(zmm14, zmm14, zword[rip + pair_order(pair)]);
      vbroadcasti64x4(zmm13, ptr[rdx + place(b, 32 * pair)]);
      vdpbf16ps(to, zmm14, zmm13);
    }
    vcmpps(k1, to, to, 3);
    vpblendmd(to | k1, to, ptr_b[rip + constant128(0x7fc00000'7fc00000, 0)]);
    write_vector(c + row, to);
  }
  relies_on_ |= kVectorReady;
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
