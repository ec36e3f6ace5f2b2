// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "compressed.hpp"
#include "step_parts.hpp"

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

constexpr unsigned kFaultOdds = 40;
constexpr unsigned kReservedOdds = 25;  // one vector step in so many is most likely illegal

// Bytes that a load, store or atomic moves: funct3 holds them, but for the sign.
unsigned access_bytes(std::uint32_t word) { return 1U << (word >> 12 & 3); }

std::uint64_t scalar_address(Random& random, Step& step, unsigned bytes) {
  if (random.one_in(kFaultOdds)) {
    step.counts = false;
    return kMemoryEnd - random.below(2 * bytes);
  }
  return place_in_arena(random, bytes);
}

void make_memory(Random& random, Step& step, std::uint32_t word, Operand immediate) {
  Assembler out(step.code);
  const unsigned base = random_register(random);
  const std::int32_t offset = isa::facts(immediate).field.extract(word);
  const std::uint64_t address = scalar_address(random, step, access_bytes(word));
  out.load_immediate(
      base, static_cast<std::uint32_t>(address - static_cast<std::uint64_t>(std::int64_t{offset})));
  put_main(step, with_field(word, Operand::rs1, base));
}

void make_atomic(Random& random, Step& step, std::uint32_t word) {
  Assembler out(step.code);
  const InstructionId id = step.cell.id;
  const unsigned bytes = access_bytes(word), base = random_register(random);
  const std::uint64_t address = place_in_arena(random, 8) & ~std::uint64_t{bytes - 1};
  out.load_immediate(base, static_cast<std::uint32_t>(address));
  word = with_field(word, Operand::rs1, base);
  const bool is_lr = id == lr_w || id == lr_d, is_sc = id == sc_w || id == sc_d;
  if (is_sc && !random.one_in(3)) {  // one that succeeds
    unsigned loaded;
    do loaded = random_register(random);
    while (loaded == base);
    out.op(id == sc_w ? lr_w : lr_d, {.rd = loaded, .rs1 = base});
  }
  put_main(step, word);
  if (is_lr) {  // no reservation is left to a later step: this fails on another set
    const unsigned other = random_register(random);
    out.load_immediate(other,
                       static_cast<std::uint32_t>((address ^ 512) & ~std::uint64_t{bytes - 1}));
    out.op(id == lr_w ? sc_w : sc_d, {.rd = random.below(32), .rs1 = other});
  }
}

void make_branch(Random& random, Step& step, std::uint32_t word) {
  Assembler out(step.code);
  const unsigned counted = random_register(random);
  if (random.one_in(2)) {  // forward over one instruction
    put_main(step, with_field(word, Operand::imm_b, 8));
    out.add_immediate(counted, counted, 1);
    return;
  }
  out.jump(8);   // to the branch
  out.jump(12);  // where it goes back to: behind all
  put_main(step, with_field(word, Operand::imm_b, static_cast<std::uint32_t>(-4)));
  out.add_immediate(counted, counted, 1);
}

void make_jump(Random& random, Step& step, std::uint32_t word) {
  Assembler out(step.code);
  if (step.cell.id == jal) {
    put_main(step, with_field(word, Operand::imm_j, 8));
  } else {
    const unsigned base = random_register(random);
    const auto offset = static_cast<std::int32_t>(random.below(2001)) - 1000;
    out.op(auipc, {.rd = base});
    out.add_immediate(base, base, 16 - offset);  // behind the instruction that is skipped
    put_main(step, with_field(with_field(word, Operand::rs1, base), Operand::imm_i,
                              static_cast<std::uint32_t>(offset)));
  }
  const unsigned skipped = random_register(random);
  out.add_immediate(skipped, skipped, 1);
}

void make_csr(Random& random, Step& step, std::uint32_t word) {
  static constexpr std::array<unsigned, 10> kNumbers = {0x001, 0x002, 0x003, 0x008, 0x009,
                                                        0x00a, 0x00f, 0xc20, 0xc21, 0xc22};
  const unsigned number = kNumbers[random.below(kNumbers.size())];
  // ORACLE.md 1: with rs1 not x0 these are illegal, whatever the register holds.
  const bool by_register = step.cell.id == csrrs || step.cell.id == csrrc;
  if (number >= 0xc00 && by_register) word = with_field(word, Operand::rs1, 0);
  if (number == kCsrVxrm) {  // ORACLE.md 6: it keeps bits that do not exist
    const unsigned rs1 = word >> 15 & 31;
    if (has_operand(step.cell.id, Operand::uimm5))
      word = with_field(word, Operand::uimm5, rs1 & 3);
    else if (rs1 != 0)
      Assembler(step.code).op(andi, {.rd = rs1, .rs1 = rs1, .immediate = 3});
  }
  // A rounding mode that does not exist and a vstart would only make what follows illegal.
  put_main(step, with_field(word, Operand::csr, number));
  Assembler out(step.code);
  out.op(csrrwi, {.rs1 = random.below(5), .immediate = kCsrFrm});
  out.op(csrrwi, {.rs1 = 0, .immediate = kCsrVstart});
  // Those of vl, vtype and vlenb that write are illegal.
  const bool writes = step.cell.id == csrrw || step.cell.id == csrrwi || (word >> 15 & 31) != 0;
  step.counts = !(number >= 0xc00 && writes);
}

void make_float(Random& random, Step& step, std::uint32_t word) {
  Assembler out(step.code);
  const bool dynamic = step.cell.rounding >= 5;
  const unsigned mode = step.cell.rounding % 5;
  if (random.one_in(100)) {  // modes that do not exist
    const unsigned bad = 5 + random.below(3);
    step.counts = false;
    if (dynamic || bad == 7) set_rounding(random, out, false, bad);
    put_main(step, with_field(word, Operand::rm, dynamic || bad == 7 ? 7 : bad));
    return;
  }
  if (dynamic || random.one_in(4)) set_rounding(random, out, false, mode);
  put_main(step, with_field(word, Operand::rm, dynamic ? 7 : mode));
}

}  // namespace

Step make_scalar_step(Random& random, const Cell& cell) {
  Step step;
  step.cell = cell;
  step.counts = true;
  std::uint32_t word = random_word(random, cell.id);
  if (cell.id == fence) word &= 0x0fffffff;  // fm: only 0 is defined for every set
  if (has_operand(cell.id, Operand::rm) || has_operand(cell.id, Operand::rm_exact)) {
    make_float(random, step, word);
  } else if (has_operand(cell.id, Operand::csr)) {
    make_csr(random, step, word);
  } else if (has_operand(cell.id, Operand::imm_b)) {
    make_branch(random, step, word);
  } else if (cell.id == jal || cell.id == jalr) {
    make_jump(random, step, word);
  } else if (has_operand(cell.id, Operand::aqrl)) {
    make_atomic(random, step, word);
  } else if (has_operand(cell.id, Operand::base_rs1)) {
    make_memory(random, step, word,
                has_operand(cell.id, Operand::imm_s) ? Operand::imm_s : Operand::imm_i);
  } else {
    if (cell.id == ctzw) {  // ORACLE.md 7: it counts on into the upper half
      const unsigned rs1 = word >> 15 & 31;
      Assembler(step.code).op(addiw, {.rd = rs1, .rs1 = rs1});
    }
    put_main(step, word);
  }
  return step;
}

Step make_compressed_step(Random& random, const Cell& cell) {
  const CompressedInstruction& line = compressed_instructions()[cell.compressed - 1U];
  Step step;
  step.cell = cell;
  step.counts = true;
  isa::Instruction decoded;
  const auto matches = [&](std::uint16_t bits) {
    decoded = isa::decode(bits);
    return decoded.length == 2 && decoded.id == line.id;
  };
  std::uint16_t bits;
  do
    bits = static_cast<std::uint16_t>(line.match | (random.bits() & 0xffff & ~unsigned{line.mask}));
  while (!matches(bits));
  Assembler out(step.code);
  const auto put = [&] {
    step.main_offset = static_cast<std::uint16_t>(2 * step.code.size());
    step.main_length = 2;
    out.parcel(bits);
  };
  const auto put_skipped = [&] {  // c.addi, which a jump leaves out
    out.parcel(static_cast<std::uint16_t>(0x0005 | random_register(random) << 7));
  };
  switch (line.id) {
    case jal:
    case beq:
    case bne: {
      const auto place = static_cast<std::uint16_t>(line.immediate.mask());
      bits = static_cast<std::uint16_t>((bits & ~place) | line.immediate.insert(4));
      put();
      put_skipped();
      break;
    }
    case jalr: {
      const unsigned base = decoded.rs1;
      out.op(auipc, {.rd = base});
      out.add_immediate(base, base, 12);
      put();
      put_skipped();
      break;
    }
    case lw:
    case ld:
    case fld:
    case sw:
    case sd:
    case fsd: {
      const unsigned bytes = line.id == lw || line.id == sw ? 4 : 8;
      const std::uint64_t address = scalar_address(random, step, bytes);
      out.load_immediate(decoded.rs1, static_cast<std::uint32_t>(
                                          address - static_cast<unsigned>(decoded.immediate)));
      put();
      break;
    }
    default:
      put();
  }
  return step;
}

Step make_step(Random& random, const Cell& cell) {
  if (cell.compressed != 0) return make_compressed_step(random, cell);
  if (is_vector(cell.id))
    return !is_memory(cell.id) && random.one_in(kReservedOdds) ? make_reserved_step(random, cell)
                                                               : make_vector_step(random, cell);
  if (isa::facts(cell.id).extension == isa::Extension::V)
    return make_configuration_step(random, cell);
  return make_scalar_step(random, cell);
}

}  // namespace d1::difftest
