// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "step_parts.hpp"

namespace d1::difftest {

namespace {

constexpr unsigned kVstartOdds = 10;  // one step in so many begins in the middle
constexpr unsigned kFaultOdds = 14;   // one memory access in so many runs past the end of memory

std::int32_t vtype_of(const Cell& cell) {
  return vtype_bits(cell.sew_log2, cell.lmul_log2, cell.policy & 1, cell.policy & 2);
}

unsigned random_vl(Random& random, unsigned most) {
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
    case 2:
      return most;
    default:
      return 1 + random.below(most);
  }
}

void emit_configuration(Random& random, Assembler& out, const Cell& cell, unsigned vl) {
  const unsigned rd = random_register(random);
  if (vl == vlmax(cell.sew_log2, cell.lmul_log2) && random.one_in(2)) {
    out.op(InstructionId::vsetvli, {.rd = rd, .immediate = vtype_of(cell)});
  } else if (vl < 32 && random.one_in(2)) {
    out.op(InstructionId::vsetivli, {.rd = rd, .rs1 = vl, .immediate = vtype_of(cell)});
  } else {
    const unsigned avl = random_register(random);
    out.add_immediate(avl, 0, static_cast<std::int32_t>(vl));
    out.op(InstructionId::vsetvli, {.rd = rd, .rs1 = avl, .immediate = vtype_of(cell)});
  }
}

RegisterChoice choose_registers(Random& random, const VectorForm& form, bool masked) {
  const auto pick = [&](const RegisterGroup& each) {
    return each.used ? random.below(32 / each.align) * each.align : 0;
  };
  for (unsigned attempt = 0; attempt < 10000; ++attempt) {
    const RegisterChoice choice{pick(form.vd), pick(form.vs1), pick(form.vs2)};
    if (registers_legal(form, masked, choice)) return choice;
  }
  throw std::logic_error("no registers are legal for an instruction");
}

// The addresses of a memory instruction: base, and stride or indices where it has them.
struct Access {
  bool faults = false;  // may run past the end
  unsigned base_register = 0, stride_register = 0;
};

Access emit_addresses(Random& random, Assembler& out, const Cell& cell, const VectorForm& form,
                      const RegisterChoice& registers, unsigned vl) {
  const unsigned element = form.vd.is_mask ? 1 : 1U << (form.vd.eew_log2 - 3);
  const unsigned fields = cell.fields == 0 ? 1 : cell.fields;
  const unsigned segment = element * fields;
  Access access;
  access.base_register = random_register(random);
  access.faults = random.one_in(kFaultOdds);
  const auto set_base = [&](std::uint64_t address) {
    out.load_immediate(access.base_register, static_cast<std::uint32_t>(address));
  };
  if (has_operand(cell.id, Operand::rs2)) {
    const unsigned steps = vl > 1 ? vl - 1 : 1;
    unsigned most = (kArenaBytes - segment) / steps;
    most = most > 160 ? 160 : most;
    auto stride =
        static_cast<std::int32_t>(random.below(2 * most + 1)) - static_cast<std::int32_t>(most);
    if (random.one_in(6)) stride = 0;
    do access.stride_register = random.below(32);
    while (access.stride_register == access.base_register);
    if (access.stride_register == 0) stride = 0;
    if (access.stride_register != 0)
      out.load_immediate(access.stride_register, static_cast<std::uint32_t>(stride));
    const unsigned reach = static_cast<unsigned>(std::abs(stride)) * steps;
    const std::uint64_t low =
        access.faults ? kMemoryEnd - (stride < 0 ? reach : random.below(reach + segment))
                      : place_in_arena(random, reach + segment);
    set_base(stride < 0 ? low + reach : low);
  } else if (form.vs2.used) {
    static constexpr std::array<InstructionId, 4> kLoads = {
        InstructionId::vl1re8_v, InstructionId::vl2re8_v, InstructionId::vl4re8_v,
        InstructionId::vl8re8_v};
    const unsigned table = static_cast<unsigned>(form.vs2.eew_log2 - 3) * kTableVariants +
                           random.below(kTableVariants);
    out.load_immediate(access.base_register,
                       static_cast<std::uint32_t>(kTableBase + table * kTableBytes));
    const int log2 = form.vs2.emul_log2 > 0 ? form.vs2.emul_log2 : 0;
    out.op(kLoads[static_cast<unsigned>(log2)], {.rd = registers.vs2, .rs1 = access.base_register});
    set_base(access.faults ? kMemoryEnd - kIndexLimit / (1 + random.below(4))
                           : place_in_arena(random, kIndexLimit + segment));
  } else {
    const unsigned bytes = form.ignores_vtype ? form.vd.registers * 64
                           : form.vd.is_mask  ? (vl + 7) / 8
                                              : vl * segment;
    std::uint64_t to_end = random.below(bytes + 8);
    // How much of the segment that faults is loaded is left open (V 1.0, 7.8.1).
    if (cell.fields > 1 && form.is_fault_only_first) to_end -= to_end % segment;
    set_base(access.faults ? kMemoryEnd - to_end : place_in_arena(random, bytes));
  }
  return access;
}

// Elements from which a vstart can be chosen: a vstart behind the last one is ORACLE.md 2, scalar
// moves with any are ORACLE.md 3, vslideup is ORACLE.md 5.
unsigned vstart_limit(const VectorForm& form, unsigned vl) {
  if (form.is_scalar_move || form.is_slide_up) return 0;
  if (!form.ignores_vtype) return form.vd.is_mask && form.is_memory() ? (vl + 7) / 8 : vl;
  return form.vd.registers * (kVlenBits >> form.vd.eew_log2);
}

unsigned emit_vstart(Random& random, Assembler& out, const VectorForm& form, const Access& access,
                     unsigned vl) {
  const unsigned limit = vstart_limit(form, vl);
  if (limit == 0 || !random.one_in(kVstartOdds)) return 0;
  const unsigned vstart = random.below(limit);
  if (vstart < 32) {
    out.op(InstructionId::csrrwi, {.rs1 = vstart, .immediate = kCsrVstart});
    return vstart;
  }
  unsigned reg;
  do reg = random_register(random);
  while (reg == access.base_register || reg == access.stride_register);
  out.add_immediate(reg, 0, static_cast<std::int32_t>(vstart));
  out.write_csr(kCsrVstart, reg);
  return vstart;
}

}  // namespace

Step make_vector_step(Random& random, const Cell& cell) {
  const auto form =
      form_of(cell.id, cell.fields == 0 ? 1 : cell.fields, cell.sew_log2, cell.lmul_log2);
  if (!form) throw std::logic_error("a cell without a form");
  Step step;
  step.cell = cell;
  Assembler out(step.code);
  const RegisterChoice registers = choose_registers(random, *form, cell.masked != 0);
  const unsigned most = vlmax(cell.sew_log2, cell.lmul_log2), vl = random_vl(random, most);
  std::uint32_t word = random_word(random, cell.id);
  if (form->vd.used) word = with_field(word, Operand::vd, registers.vd);
  if (form->vs1.used) word = with_field(word, Operand::vs1, registers.vs1);
  if (form->vs2.used) word = with_field(word, Operand::vs2, registers.vs2);
  if (form->can_be_masked) word = with_field(word, Operand::vm, cell.masked != 0 ? 0 : 1);
  if (cell.fields != 0) word = with_field(word, Operand::nf, cell.fields - 1U);
  if (form->is_float || form->rounding == RoundingKind::FixedPoint)
    set_rounding(random, out, !form->is_float,
                 form->rounding == RoundingKind::None ? random.below(5) : cell.rounding);
  Access access;
  if (form->is_memory()) {
    access = emit_addresses(random, out, cell, *form, registers, vl);
    word = with_field(word, Operand::rs1, access.base_register);
    if (has_operand(cell.id, Operand::rs2))
      word = with_field(word, Operand::rs2, access.stride_register);
  }
  // Last, since it may write any integer register but the addresses.
  Code before;
  Assembler first(before);
  emit_configuration(random, first, cell, vl);
  step.code.insert(step.code.begin(), before.begin(), before.end());
  const unsigned vstart = emit_vstart(random, out, *form, access, vl);
  // ORACLE.md 4: the oracle aborts unless this block set the dynamic rounding mode before.
  if (isa::facts(cell.id).mnemonic.find(".rtz.") != std::string_view::npos)
    out.op(InstructionId::fcvt_s_l, {.rd = random.below(32), .bits = 7U << 12});
  put_main(step, word);
  // QEMU reads vstart when it translates a block; a jump begins a new one.
  if (vstart != 0) out.jump(4);
  step.counts =
      !access.faults && (form->ignores_vtype || vl > 0) && !(form->needs_vstart_0 && vstart != 0);
  return step;
}

Step make_configuration_step(Random& random, const Cell& cell) {
  Step step;
  step.cell = cell;
  Assembler out(step.code);
  std::uint32_t word = random_word(random, cell.id);
  std::int32_t type = vtype_of(cell);
  step.counts = true;
  if (random.one_in(20)) {  // types that may not exist
    type = static_cast<std::int32_t>(random.below(1 << 10));
    step.counts = false;
  }
  if (cell.id == InstructionId::vsetivli) {
    put_main(step, with_field(word, Operand::vtypei10, static_cast<std::uint32_t>(type)));
    return step;
  }
  // x0 to x0 keeps vl, which needs a type of the same VLMAX before.
  const bool keeps = step.counts && random.one_in(6);
  if (keeps) {
    out.op(InstructionId::vsetivli,
           {.rd = 0, .rs1 = random.below(32), .immediate = vtype_of(cell)});
    word = with_field(with_field(word, Operand::rd, 0), Operand::rs1, 0);
  } else if (isa::facts(Operand::rd).field.extract(word) == 0) {
    word = with_field(word, Operand::rs1, random_register(random));
  }
  if (random.one_in(2)) {  // an AVL near VLMAX
    const auto rs1 = static_cast<unsigned>(isa::facts(Operand::rs1).field.extract(word));
    const unsigned most = vlmax(cell.sew_log2, cell.lmul_log2);
    if (rs1 != 0) out.add_immediate(rs1, 0, static_cast<std::int32_t>(random.below(2 * most + 2)));
  }
  if (cell.id == InstructionId::vsetvli) {
    put_main(step, with_field(word, Operand::vtypei11, static_cast<std::uint32_t>(type)));
  } else {
    const unsigned rs1 = static_cast<unsigned>(isa::facts(Operand::rs1).field.extract(word));
    unsigned rs2;
    do rs2 = random_register(random);
    while (rs2 == rs1);
    out.load_immediate(rs2, static_cast<std::uint32_t>(type));
    put_main(step, with_field(word, Operand::rs2, rs2));
  }
  return step;
}

}  // namespace d1::difftest
