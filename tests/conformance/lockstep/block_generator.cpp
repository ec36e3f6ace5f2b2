// SPDX-License-Identifier: Apache-2.0
#include "block_generator.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

constexpr unsigned kTries = 64;  // to find an instruction that is legal

}  // namespace

bool is_profile_of_vectors(Profile profile) {
  return profile == Profile::VectorInteger || profile == Profile::VectorFloat ||
         profile == Profile::VectorAny;
}

BlockGenerator::BlockGenerator(Random& random, Profile profile, Program& program)
    : random_(random), profile_(profile), program_(program), pool_(instruction_pool()) {
  std::array<unsigned, 31> order;
  std::iota(order.begin(), order.end(), 1u);
  for (unsigned i = 31; i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
  auto next = order.begin();
  for (unsigned i = 0; i < 4; ++i) pointers_.push_back(*next++);
  for (unsigned& each : counters_) each = *next++;
  link_ = *next++;
  address_ = *next++;
  data_.assign(next, next + 4 + random_.below(12));
  for (unsigned i = 4 + random_.below(12); i > 0; --i) floats_.push_back(random_.below(32));
  width_log2_ = random_.one_in(5) ? 0 : 3 + random_.below(4);
  if (profile == Profile::Float || profile == Profile::VectorFloat)
    width_log2_ = random_.one_in(4) ? 4 : 5 + random_.below(2);
  const auto& vectors = profile == Profile::VectorFloat ? pool_.vector_float : pool_.vector_integer;
  for (unsigned i = 1 + random_.below(4); i > 0; --i) palette_.push_back(pick(vectors));
  for (unsigned i = random_.below(3); i > 0; --i) palette_.push_back(pick(pool_.vector_memory));
  for (unsigned i = random_.below(3); i > 0; --i)
    palette_.push_back(random_.one_in(2) ? vle32_v : vse32_v);
}

unsigned BlockGenerator::source() {
  if (random_.one_in(16)) return 0;
  if (random_.one_in(12)) return pick(pointers_);
  if (random_.one_in(20)) return counters_[random_.below(3)];
  return pick(data_);
}
unsigned BlockGenerator::destination() { return random_.one_in(20) ? 0 : pick(data_); }

// Registers of the program's own in all places but vector ones.
std::uint32_t BlockGenerator::with_registers(std::uint32_t word, InstructionId id) {
  for (const Operand each : isa::operands_of(id)) {
    switch (each) {
      case Operand::rd:
        word = with_field(word, each, destination());
        break;
      case Operand::rs1:
      case Operand::rs2:
      case Operand::rs3:
        word = with_field(word, each, source());
        break;
      case Operand::fd:
      case Operand::fs1:
      case Operand::fs2:
      case Operand::fs3:
        word = with_field(word, each, pick(floats_));
        break;
      case Operand::rm:
      case Operand::rm_exact:
        word = with_field(word, each,
                          random_.one_in(80)  ? 5 + random_.below(2)
                          : random_.one_in(4) ? random_.below(5)
                                              : 7);
        break;
      default:
        break;
    }
  }
  return word;
}

void BlockGenerator::plain(InstructionId id) { put(with_registers(random_word(random_, id), id)); }

// A random one that writes no register with a role.
void BlockGenerator::compressed() {
  const auto lines = compressed_instructions();
  for (unsigned i = 0; i < kTries; ++i) {
    const auto& line = lines[random_.below(static_cast<unsigned>(lines.size()))];
    const auto bits =
        static_cast<std::uint16_t>(line.match | (random_.bits() & 0xffff & ~unsigned{line.mask}));
    const isa::Instruction decoded = isa::decode(bits);
    if (decoded.length != 2 || decoded.id != line.id || decoded.id == jal || decoded.id == jalr ||
        decoded.id == beq || decoded.id == bne || decoded.id == ebreak)
      continue;
    const bool to_float = has_operand(decoded.id, Operand::fd);
    const bool writes = has_operand(decoded.id, Operand::rd) && decoded.rd != 0;
    if (writes && !to_float && std::ranges::find(data_, decoded.rd) == data_.end()) continue;
    const bool reaches_memory = has_operand(decoded.id, Operand::base_rs1);
    if (reaches_memory && std::ranges::find(pointers_, decoded.rs1) == pointers_.end()) continue;
    Assembler(item().code).parcel(bits);
    return;
  }
}

void BlockGenerator::memory(InstructionId id) {
  std::uint32_t word = with_registers(random_word(random_, id), id);
  const unsigned base = random_.one_in(60) ? source() : pick(pointers_);
  word = with_field(word, Operand::base_rs1, base);
  const Operand offset = has_operand(id, Operand::imm_s) ? Operand::imm_s : Operand::imm_i;
  // Most often near, so that what is stored is loaded again.
  const bool far = random_.one_in(4);
  const auto value = far ? static_cast<std::int32_t>(random_.below(4096)) - 2048
                         : static_cast<std::int32_t>(random_.below(16)) * 8;
  put(with_field(word, offset, static_cast<std::uint32_t>(value)));
}

void BlockGenerator::move_pointer() {
  const unsigned pointer = pick(pointers_);
  Assembler(item().code)
      .add_immediate(pointer, pointer, 8 * (static_cast<std::int32_t>(random_.below(33)) - 16));
}

void BlockGenerator::atomic(InstructionId id) {
  std::uint32_t word = with_registers(random_word(random_, id), id);
  put(with_field(word, Operand::base_rs1, random_.one_in(10) ? pick(pointers_) : pointers_[0]));
}

// A reservation, code during which it is held and perhaps broken, and what finds out.
void BlockGenerator::reservation() {
  const bool wide = random_.one_in(2);
  Assembler(item().code).op(wide ? lr_d : lr_w, {.rd = pick(data_), .rs1 = pointers_[0]});
  // Jumps make a block of it, which may be translated.
  const bool apart = random_.one_in(2);
  if (apart) Assembler(item().code).jump(4);
  for (unsigned i = random_.below(4); i > 0; --i) one_instruction();
  if (random_.one_in(2))
    Assembler(item().code)
        .op(sb, {.rs1 = pointers_[0],
                 .rs2 = pick(data_),
                 .immediate = static_cast<std::int32_t>(random_.below(80))});
  if (apart) Assembler(item().code).jump(4);
  Assembler(item().code)
      .op(wide ? sc_d : sc_w, {.rd = pick(data_), .rs1 = pointers_[0], .rs2 = pick(data_)});
}

void BlockGenerator::floating_point() {
  // One width most of the time, so that singles stay boxed.
  const auto fits = [&](InstructionId id) {
    const auto name = isa::facts(id).mnemonic;
    return width_log2_ == 6   ? name.find(".d") != name.npos
           : width_log2_ == 4 ? name.find(".h") != name.npos || name.find("bf16") != name.npos
                              : name.find(".s") != name.npos;
  };
  InstructionId id = pick(pool_.floats);
  for (unsigned i = 0; i < kTries && !fits(id) && !random_.one_in(12); ++i) id = pick(pool_.floats);
  plain(id);
}

// Loads that end at the first fault are four of many, and special.
InstructionId BlockGenerator::vector_access_id() {
  static constexpr InstructionId kFirst[] = {vle8ff_v, vle16ff_v, vle32ff_v, vle64ff_v};
  return random_.one_in(5) ? kFirst[random_.below(4)] : pick(pool_.vector_memory);
}

InstructionId BlockGenerator::from_palette(const std::vector<InstructionId>& from) {
  return random_.one_in(8) ? pick(from) : pick(palette_);
}

// Small enough, most often, for all elements to lie within memory.
unsigned BlockGenerator::stride() {
  switch (random_.below(4)) {
    case 0: return 0;
    case 1: return counters_[random_.below(3)];
    default:
      Assembler(item().code)
          .add_immediate(address_, 0, static_cast<std::int32_t>(random_.below(65)) - 32);
      return random_.one_in(20) ? pick(data_) : address_;
  }
}

// The same of indices.
void BlockGenerator::load_indices(const RegisterGroup& group, const RegisterChoice& registers) {
  static constexpr InstructionId kLoads[] = {vl1re8_v, vl2re8_v, vl4re8_v, vl8re8_v};
  const unsigned tables = static_cast<unsigned>(group.eew_log2 - 3) * kTableVariants;
  const unsigned table = tables + random_.below(kTableVariants);
  Assembler out(item().code);
  out.load_immediate(address_, static_cast<std::uint32_t>(kTableBase + table * kTableBytes));
  out.op(kLoads[std::countr_zero(group.align)], {.rd = registers.vs2, .rs1 = address_});
}

void BlockGenerator::vector(InstructionId id) {
  const unsigned fields = has_fields(id) && random_.one_in(4) ? 1 + random_.below(8) : 1;
  const auto form = form_of(id, fields, sew_log2_, lmul_log2_);
  std::uint32_t word = with_registers(random_word(random_, id), id);
  if (form) {
    const bool masked = form->always_masked || (form->can_be_masked && random_.one_in(6));
    const auto choose = [&](const RegisterGroup& group) {
      return group.used ? random_.below(32 / group.align) * group.align : 0;
    };
    RegisterChoice registers;
    for (unsigned i = 0; i < kTries; ++i) {
      registers = {choose(form->vd), choose(form->vs1), choose(form->vs2)};
      if (registers_legal(*form, masked, registers)) break;
    }
    if (form->vd.used) word = with_field(word, Operand::vd, registers.vd);
    if (form->vs1.used) word = with_field(word, Operand::vs1, registers.vs1);
    if (form->vs2.used) word = with_field(word, Operand::vs2, registers.vs2);
    if (form->can_be_masked) word = with_field(word, Operand::vm, masked ? 0 : 1);
    if (is_memory(id) && form->vs2.used && !random_.one_in(4)) load_indices(form->vs2, registers);
  }
  if (has_fields(id)) word = with_field(word, Operand::nf, fields - 1);
  if (is_memory(id)) {
    // Loads that end at the first fault most often where there is one: the second pointer is near
    // the end of memory.
    const bool ends = isa::facts(id).mnemonic.ends_with("ff.v");
    word = with_field(word, Operand::rs1,
                      ends && random_.one_in(2) ? pointers_[1] : pick(pointers_));
    if (has_operand(id, Operand::rs2)) word = with_field(word, Operand::rs2, stride());
  }
  put(word);
}

void BlockGenerator::matrix(InstructionId id) {
  std::uint32_t word = with_registers(random_word(random_, id), id);
  if (!random_.one_in(30) && has_operand(id, Operand::vd))  // groups of four for sums
    word = with_field(word, Operand::vd, random_.below(8) * 4);
  put(word);
}

// What mostly traps, waits or leaves the node; and what is no instruction.
void BlockGenerator::rare() {
  if (random_.one_in(3)) {
    put(static_cast<std::uint32_t>(random_.bits()) | 3);
    return;
  }
  plain(pick(pool_.outside));
}

std::int32_t BlockGenerator::choose_type() {
  do {
    sew_log2_ = static_cast<int>(3 + random_.below(4));
    lmul_log2_ = static_cast<int>(random_.below(random_.one_in(3) ? 7 : 4)) - 3;
    if (random_.one_in(2)) lmul_log2_ = static_cast<int>(random_.below(4));
    if (width_log2_ >= 3 && !random_.one_in(4)) sew_log2_ = static_cast<int>(width_log2_);
  } while (!vtype_exists(sew_log2_, lmul_log2_));
  return vtype_bits(static_cast<unsigned>(sew_log2_), lmul_log2_, random_.one_in(2),
                    random_.one_in(2));
}

void BlockGenerator::configure(bool whole) {
  const std::int32_t type = choose_type();
  Assembler out(item().code);
  const unsigned rd = random_.one_in(4) ? 0 : pick(data_);
  if (whole) {
    out.op(vsetvli, {.rd = rd == 0 ? pick(data_) : rd, .rs1 = 0, .immediate = type});
  } else if (random_.one_in(2)) {
    out.op(vsetivli, {.rd = rd, .rs1 = random_.below(32), .immediate = type});
  } else if (random_.one_in(3)) {  // keeps vl, which is legal where VLMAX stays the same
    out.op(vsetvli, {.rd = 0, .rs1 = 0, .immediate = type});
  } else {
    out.op(vsetvli, {.rd = rd, .rs1 = counters_[random_.below(3)], .immediate = type});
  }
}

void BlockGenerator::strip(unsigned avl, unsigned vl) {
  const std::int32_t type = choose_type();
  Assembler(item().code).op(vsetvli, {.rd = vl, .rs1 = avl, .immediate = type});
  const auto& arithmetic =
      profile_ == Profile::VectorFloat ? pool_.vector_float : pool_.vector_integer;
  for (unsigned i = 1 + random_.below(2); i > 0; --i) vector(vector_access_id());
  for (unsigned i = 1 + random_.below(4); i > 0; --i) vector(from_palette(arithmetic));
  if (random_.one_in(2)) vector(random_.one_in(2) ? vse32_v : vse64_v);
}

void BlockGenerator::access() {
  const bool floats =
      profile_ == Profile::Float || (profile_ != Profile::Memory && random_.one_in(2));
  memory(pick(floats ? pool_.float_memory : pool_.loads_stores));
}

void BlockGenerator::change_modes() {
  static constexpr std::int32_t kNumbers[] = {kCsrFflags, kCsrFrm, kCsrFcsr,  kCsrVxrm,
                                              kCsrVcsr,   kCsrVl,  kCsrVtype, 0xc02,
                                              0xb00,      0xb02,   0x009,     0x801};
  if (random_.one_in(3)) configure(!random_.one_in(4));
  switch (random_.below(8)) {
    case 0:
    case 1:
      Assembler(item().code).op(csrrwi, {.rs1 = random_.below(5), .immediate = kCsrFrm});
      break;
    case 2:
      Assembler(item().code)
          .op(csrrwi, {.rd = destination(), .rs1 = random_.below(4), .immediate = kCsrVxrm});
      break;
    case 3:
      Assembler(item().code)
          .op(csrrwi, {.rd = destination(), .rs1 = random_.below(3), .immediate = kCsrVstart});
      break;
    case 5:  // as compilers put the rounding mode back
      Assembler(item().code)
          .op(csrrw, {.rd = destination(), .rs1 = source(), .immediate = kCsrFrm});
      break;
    case 4:  // flags are seen, and raised anew
      Assembler(item().code).op(csrrwi, {.rd = destination(), .immediate = kCsrFflags});
      break;
    default:
      Assembler(item().code)
          .op(csrrs,
              {.rd = destination(), .immediate = kNumbers[random_.below(std::size(kNumbers))]});
  }
}

void BlockGenerator::step() {
  static const std::vector<Cell> kCells = all_cells(std::nullopt);
  const Step made = make_step(random_, kCells[random_.bits() % kCells.size()]);
  item().code = made.code;
}

void BlockGenerator::instruction(InstructionId id) {
  const auto& facts = isa::facts(id);
  const bool packets = facts.unit == isa::Unit::Simd || facts.unit == isa::Unit::Matrix;
  if (is_vector(id) || (packets && facts.extension != isa::Extension::Xd1))
    vector(id);
  else if (packets)
    matrix(id);
  else if (has_operand(id, Operand::aqrl))
    atomic(id);
  else if (has_operand(id, Operand::base_rs1))
    memory(id);
  else
    plain(id);
}

void BlockGenerator::one_instruction() {
  if (random_.one_in(250)) return rare();
  if (random_.one_in(120)) return atomic(pick(pool_.atomics));
  if (random_.one_in(150)) return reservation();
  const bool vectors = is_profile_of_vectors(profile_);
  if (vectors && random_.one_in(14)) return configure(!random_.one_in(3));
  const unsigned draw = random_.below(16);
  if (draw == 0) return move_pointer();
  if (draw == 1) return compressed();
  if (draw == 2 && !vectors) return memory(pick(pool_.loads_stores));
  switch (profile_) {
    case Profile::Integer:
      return draw < 12 ? plain(pick(pool_.integer)) : compressed();
    case Profile::Memory:
      return draw < 11 ? memory(pick(pool_.loads_stores)) : plain(pick(pool_.integer));
    case Profile::Float:
      return draw < 13   ? floating_point()
             : draw < 15 ? memory(pick(pool_.float_memory))
                         : plain(pick(pool_.integer));
    case Profile::VectorInteger:
      return draw < 13 ? vector(from_palette(random_.one_in(4) ? pool_.vector_memory
                                                               : pool_.vector_integer))
                       : plain(pick(pool_.integer));
    case Profile::VectorFloat:
      return draw < 13   ? vector(from_palette(random_.one_in(4) ? pool_.vector_memory
                                                                 : pool_.vector_float))
             : draw < 15 ? floating_point()
                         : memory(pick(pool_.float_memory));
    case Profile::VectorAny:
      return draw < 5    ? vector(vector_access_id())
             : draw < 9  ? vector(pick(pool_.vector_integer))
             : draw < 13 ? vector(pick(pool_.vector_float))
                         : plain(pick(pool_.integer));
    case Profile::Matrix:
      return draw < 9    ? matrix(random_.one_in(2) ? mma_bf16 : pick(pool_.matrix))
             : draw < 12 ? vector(random_.one_in(2) ? vl4re32_v : vs4r_v)
             : draw < 14 ? vector(pick(palette_))
                         : plain(pick(pool_.integer));
    default:  // Mixed
      return draw < 6    ? plain(pick(pool_.integer))
             : draw < 9  ? floating_point()
             : draw < 12 ? memory(pick(random_.one_in(2) ? pool_.loads_stores : pool_.float_memory))
                         : compressed();
  }
}

void BlockGenerator::straight(unsigned instructions) {
  const bool vectors = is_profile_of_vectors(profile_);
  if (vectors && random_.one_in(3)) configure(!random_.one_in(4));
  for (unsigned i = 0; i < instructions; ++i) one_instruction();
}

static const CompressedInstruction& compressed_line(std::string_view mnemonic) {
  return *std::ranges::find(compressed_instructions(), mnemonic, &CompressedInstruction::mnemonic);
}

// To a place nearby; leads to the next instruction where it turns out to be too far.
void BlockGenerator::compressed_branch(int label) {
  const CompressedInstruction& line = compressed_line(random_.one_in(2) ? "c.beqz" : "c.bnez");
  Item& made = item();
  Assembler(made.code).parcel(static_cast<std::uint16_t>(line.match | random_.below(8) << 7));
  made.target = label;
  made.kind = Item::Kind::Compressed;
  made.line = &line;
}

void BlockGenerator::random_branch(int label) {
  if (random_.one_in(5)) return compressed_branch(label);
  static constexpr InstructionId kBranches[] = {beq, bne, blt, bge, bltu, bgeu};
  branch(kBranches[random_.below(6)], source(), source(), label);
}

void BlockGenerator::branch(InstructionId id, unsigned rs1, unsigned rs2, int label) {
  Item& made = item();
  Assembler(made.code).op(id, {.rs1 = rs1, .rs2 = rs2});
  made.target = label;
  made.kind = Item::Kind::Branch;
}

void BlockGenerator::jump(unsigned rd, int label) {
  Item& made = item();
  Assembler(made.code).op(jal, {.rd = rd});
  made.target = label;
  made.kind = Item::Kind::Jump;
}

void BlockGenerator::jump_register(unsigned rd, unsigned rs1) {
  Assembler(item().code).op(jalr, {.rd = rd, .rs1 = rs1});
}

void BlockGenerator::address(unsigned rd, int label) {
  Item& made = item();
  Assembler out(made.code);
  out.op(auipc, {.rd = rd});
  out.add_immediate(rd, rd, 0);
  made.target = label;
  made.kind = Item::Kind::Address;
}

}  // namespace d1::difftest
