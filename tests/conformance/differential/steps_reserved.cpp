// SPDX-License-Identifier: Apache-2.0
// Vector instructions whose vtype and registers nobody checked: most are illegal, and both sides
// must say so for the same ones.
#include "step_parts.hpp"

namespace d1::difftest {

Step make_reserved_step(Random& random, const Cell& cell) {
  Step step;
  step.cell = cell;
  Assembler out(step.code);
  const unsigned fields = cell.fields == 0 ? 1 : cell.fields;
  int sew, lmul;
  do {
    sew = static_cast<int>(3 + random.below(4));
    lmul = static_cast<int>(random.below(7)) - 3;
  } while (!vtype_exists(sew, lmul));
  const unsigned most = vlmax(sew, lmul);
  out.add_immediate(5, 0, static_cast<std::int32_t>(random.below(most + 1)));
  out.op(InstructionId::vsetvli, {.rd = 6,
                                  .rs1 = 5,
                                  .immediate = vtype_bits(static_cast<unsigned>(sew), lmul,
                                                          random.one_in(2), random.one_in(2))});
  set_rounding(random, out, false, random.below(5));
  std::uint32_t word = random_word(random, cell.id);
  const auto form = form_of(cell.id, fields, sew, lmul);
  // Half of them aligned, since few of the others get as far as the rules of overlap.
  const unsigned align = form && random.one_in(2) ? 1U << (lmul < 0 ? 0 : lmul) : 1;
  for (const Operand operand : {Operand::vd, Operand::vs1, Operand::vs2})
    if (has_operand(cell.id, operand))
      word = with_field(word, operand, random.below(random.one_in(2) ? 32 : 9) / align * align);
  // ORACLE.md 4 for those that truncate.
  out.op(InstructionId::fcvt_s_l, {.rd = random.below(32), .bits = 7U << 12});
  put_main(step, word);
  return step;
}

}  // namespace d1::difftest
