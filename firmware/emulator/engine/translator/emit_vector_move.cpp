// SPDX-License-Identifier: Apache-2.0
// Moves of whole vector registers, and of a scalar or a group into all elements.
#include "engine/register_use.hpp"
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

// rax in every element.
void RegionEmitter::splat(const Zmm& to, unsigned sew_log2) {
  switch (sew_log2) {
    case 3: vpbroadcastb(to, eax.cvt8()); break;
    case 4: vpbroadcastw(to, eax.cvt16()); break;
    case 5: vpbroadcastd(to, eax); break;
    default: vpbroadcastq(to, rax); break;
  }
}

// zmm13 into the active elements, of which vm does not say which.
void RegionEmitter::fill_group(const Operation& operation) {
  for_active(Masking::None, state_.sew_log2, state_.registers(),
             [&](unsigned i, const Opmask& active) {
               write_active(operation.rd + i, zmm13, active, state_.sew_log2);
             });
}

bool RegionEmitter::emit_whole_move(const Operation& operation, unsigned registers) {
  // With vtype known no check is left but that of the numbers.
  if (!state_.known || !group_aligned(operation.rd, registers) ||
      !group_aligned(operation.rs2, registers))
    return false;
  for (unsigned i = 0; i < registers && operation.rd != operation.rs2; ++i)
    write_vector(operation.rd + i, read_vector(operation.rs2 + i, kScratchVector));
  note_vector(operation);
  return true;
}

bool RegionEmitter::emit_float_splat(const Operation& operation) {
  if (state_.sew_log2 < 5) return false;
  with_second(operation, Second::Scalar, Elements::Floats, [&] { fill_group(operation); });
  return true;
}

bool RegionEmitter::emit_vector_move(const Operation& operation) {
  using I = InstructionId;
  if (const unsigned registers = whole_move_registers(operation.id); registers != 0)
    return emit_whole_move(operation, registers);
  if (!state_.known || !group_aligned(operation.rd, state_.registers())) return false;
  switch (operation.id) {
    case I::vmv_v_i: load_second(operation, Second::Immediate); break;
    case I::vmv_v_x: load_second(operation, Second::Scalar); break;
    case I::vmv_v_v:
      if (!group_aligned(operation.rs1, state_.registers())) return false;
      for_active(Masking::None, state_.sew_log2, state_.registers(),
                 [&](unsigned i, const Opmask& active) {
                   write_active(operation.rd + i, read_vector(operation.rs1 + i, kScratchVector),
                                active, state_.sew_log2);
                 });
      note_vector(operation);
      return true;
    case I::vfmv_v_f: return emit_float_splat(operation);
    default: return false;
  }
  splat(zmm13, state_.sew_log2);
  fill_group(operation);
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
