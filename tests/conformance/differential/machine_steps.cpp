// SPDX-License-Identifier: Apache-2.0
#include "machine_steps.hpp"

#include <algorithm>
#include <iterator>
#include <span>

#include "step_parts.hpp"

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

constexpr std::int32_t kMstatus = 0x300, kMtvec = 0x305, kMscratch = 0x340, kMepc = 0x341,
                       kMcause = 0x342, kMtval = 0x343;
constexpr unsigned kUsable = 30;  // x1 to x30; x31 is the runtime's

unsigned any(Random& random) { return 1 + random.below(kUsable); }
unsigned other_than(Random& random, std::initializer_list<unsigned> taken) {
  for (;;) {
    const unsigned reg = any(random);
    if (std::ranges::find(taken, reg) == taken.end()) return reg;
  }
}

// A register and what of it both sides have. The oracle is a machine with S and U, a PMP, a CLINT
// and its own numbers; ours has M alone. What is not here is compared nowhere or illegal on ours:
// medeleg, mideleg, satp, mcounteren, PMP (no S, no U), mip and the counters (time), mhpm* and
// mconfigptr (the oracle counts in them or leaves them out).
struct SharedCsr {
  std::int32_t number;
  const char* name;
  std::uint32_t write_mask;  // bits written, low half; ~0: all 64
  std::uint64_t compare_mask;
};
constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr SharedCsr kCsrs[] = {
    // MPRV, MPP, TSR and their like exist on the oracle alone; MPP reads 3 on ours.
    {kMstatus, "mstatus", 0x6688, kSharedStatus},
    // The oracle has S and U, and no X; it lets software switch extensions off.
    {0x301, "misa", 0, 0xc00000000020112d},
    {0x304, "mie", 0x888, 0x888},  // S-level bits; ours adds ECC at 16
    {kMtvec, "mtvec", ~0U, kAll & ~std::uint64_t{2}},
    {kMscratch, "mscratch", ~0U, kAll},
    {kMepc, "mepc", ~0U, kAll & ~std::uint64_t{1}},  // ORACLE.md 9
    {kMcause, "mcause", ~0U, kAll},
    {kMtval, "mtval", ~0U, kAll},
    {0xf11, "mvendorid", 0, kAll},
    {0xf14, "mhartid", 0, kAll},  // marchid and mimpid name the oracle's version
};

using Emit = void (*)(Random&, Assembler&);
struct Kind {
  const char* name;
  Emit emit;
};

void masked(Assembler& out, unsigned reg, unsigned temporary, std::uint64_t mask) {
  if (mask == kAll) return;
  // In two halves: the upper one is only ever bits 63 and 62.
  out.load_immediate(temporary, static_cast<std::uint32_t>(mask >> 32));
  out.op(slli, {.rd = temporary, .rs1 = temporary, .immediate = 32});
  const unsigned low = temporary == 29 ? 28 : 29, kept = low == reg ? 27 : low;
  load_address(out, kept, static_cast<std::uint32_t>(mask));
  out.op(or_, {.rd = temporary, .rs1 = temporary, .rs2 = kept});
  out.op(and_, {.rd = reg, .rs1 = reg, .rs2 = temporary});
}

// Reads, writes by one of the six instructions, reads again, restores.
void csr_access(Random& random, Assembler& out) {
  const SharedCsr& csr = kCsrs[random.below(std::size(kCsrs))];
  constexpr unsigned kKept = 23, kOld = 24, kNew = 25, kValue = 26, kTemporary = 30;
  static constexpr InstructionId kForms[] = {csrrw, csrrs, csrrc, csrrwi, csrrsi, csrrci};
  const bool whole = csr.write_mask == ~0U, read_only = csr.number >= 0xc00;
  unsigned form = random.below(6);
  if (csr.number == 0x304) out.op(csrrci, {.rs1 = 8, .immediate = kMstatus});  // no interrupts
  // What the last trap left differs where ORACLE.md says so: forget it.
  if (csr.number == kMcause || csr.number == kMtval) out.write_csr(csr.number, any(random));
  out.read_csr(kKept, csr.number);
  // Mode 2 and 3 of mtvec are reserved: ours drops bit 1, the oracle the whole write.
  const bool mode = csr.number == kMtvec;
  unsigned source;
  if (form >= 3) {
    source = whole ? random.below(32) & (mode ? ~2U : ~0U) : csr.write_mask & random.below(32);
  } else if (read_only || random.one_in(8)) {
    source = 0;
  } else {
    source = kValue;
    out.op(slli, {.rd = kValue, .rs1 = any(random), .immediate = random.one_in(2) ? 11 : 0});
    if (mode) out.op(andi, {.rd = kValue, .rs1 = kValue, .immediate = -3});
    if (!whole) {
      load_address(out, kTemporary, csr.write_mask);
      out.op(and_, {.rd = kValue, .rs1 = kValue, .rs2 = kTemporary});
    }
  }
  // Writing the whole of a register that is shared in part would clear the oracle's part.
  if (!whole && !read_only && form % 3 == 0) ++form;
  out.op(kForms[form], {.rd = kOld, .rs1 = source, .immediate = csr.number});
  out.read_csr(kNew, csr.number);
  if (csr.write_mask != 0) out.write_csr(csr.number, kKept);
  masked(out, kOld, kTemporary, csr.compare_mask);
  masked(out, kNew, kTemporary, csr.compare_mask);
  for (const unsigned reg : {kKept, kValue, kTemporary, 27U, 28U, 29U})
    out.add_immediate(reg, kOld, static_cast<std::int32_t>(reg));
}

void illegal_word(Random& random, Assembler& out) {
  static constexpr std::uint32_t kWords[] = {
      0x0000007b,
      0x0000006b,             // reserved opcodes
      0x00007067,             // jalr with funct3 7
      0x00002063,             // a branch with funct3 2
      0x00007003,             // a load of funct3 7
      0x00004023,             // a store of funct3 4
      0x40001033,             // sll with bit 30
      0x9e00002f,             // an AMO of width 0
      0xc0000053 | 5U << 20,  // fcvt from an integer type that does not exist
  };
  out.word(kWords[random.below(std::size(kWords))]);
}
void illegal_compressed(Random& random, Assembler& out) {
  static constexpr std::uint16_t kWords[] = {0x0000, 0x8000, 0x4002, 0x6001, 0x9c41};
  out.parcel(kWords[random.below(std::size(kWords))]);
}
void bad_rounding(Random& random, Assembler& out) {
  out.word(with_field(random_word(random, fadd_s), Operand::rm, 5 + random.below(2)));
}
void no_such_csr(Random& random, Assembler& out) {
  static constexpr std::int32_t kNumbers[] = {0x5c0, 0x7ff, 0x123, 0x6ab, 0xfff, 0xdc0};
  out.op(csrrw, {.rd = any(random),
                 .rs1 = any(random),
                 .immediate = kNumbers[random.below(std::size(kNumbers))]});
}
void write_read_only(Random& random, Assembler& out) {
  static constexpr std::int32_t kNumbers[] = {0xf11, 0xf12, 0xf13, 0xf14,
                                              0xc20, 0xc21, 0xc22, 0xc00};
  out.op(random.one_in(2) ? csrrw : csrrwi,
         {.rd = any(random),
          .rs1 = any(random),
          .immediate = kNumbers[random.below(std::size(kNumbers))]});
}

// FS or VS off, instructions that need it, and on again.
void unit_off(Random& random, Assembler& out, std::uint32_t field,
              std::span<const InstructionId> ids) {
  const unsigned reg = any(random);
  load_address(out, reg, field);
  out.op(csrrc, {.rs1 = reg, .immediate = kMstatus});
  for (unsigned i = 0; i < 2; ++i) {
    std::uint32_t word = random_word(random, ids[random.below(static_cast<unsigned>(ids.size()))]);
    out.word(with_field(word, Operand::rd, any(random)));
  }
  load_address(out, reg, 0x6600);
  out.op(csrrs, {.rs1 = reg, .immediate = kMstatus});
}
void float_off(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {fadd_s, fmul_d, fmv_x_w, fsgnj_d, fcvt_s_w, flw, fsd};
  unit_off(random, out, 0x6000, kIds);
  out.write_csr(kCsrFcsr, 0);
}
void float_csr_off(Random& random, Assembler& out) {
  const unsigned reg = any(random);
  load_address(out, reg, 0x6000);
  out.op(csrrc, {.rs1 = reg, .immediate = kMstatus});
  out.read_csr(any(random), 1 + static_cast<std::int32_t>(random.below(3)));
  load_address(out, reg, 0x6000);
  out.op(csrrs, {.rs1 = reg, .immediate = kMstatus});
}
void vector_off(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {vadd_vv, vsetvli, vsetivli, vle32_v,
                                           vs1r_v,  vmv_x_s, vfadd_vv};
  unit_off(random, out, 0x600, kIds);
}
void vector_csr_off(Random& random, Assembler& out) {
  static constexpr std::int32_t kNumbers[] = {0x008, 0x009, 0x00a, 0x00f, 0xc20, 0xc21, 0xc22};
  const unsigned reg = any(random);
  load_address(out, reg, 0x600);
  out.op(csrrc, {.rs1 = reg, .immediate = kMstatus});
  out.read_csr(any(random), kNumbers[random.below(std::size(kNumbers))]);
  load_address(out, reg, 0x600);
  out.op(csrrs, {.rs1 = reg, .immediate = kMstatus});
}
void vector_type_ill(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {vadd_vv, vle32_v, vmv_x_s, vredsum_vs, vmand_mm, vid_v};
  out.op(vsetvli, {.rd = any(random), .rs1 = any(random), .immediate = 4});
  out.word(with_field(random_word(random, kIds[random.below(std::size(kIds))]), Operand::rd,
                      any(random)));
  out.op(vsetivli, {.rd = 0, .rs1 = 4, .immediate = vtype_bits(5, 0, false, false)});
}

std::uint64_t bad_address(Random& random) {
  // Free in the machine virt, behind its RAM, and far above.
  static constexpr std::uint64_t kAddresses[] = {0x08000000, 0x0a123458, kMachineMemoryEnd,
                                                 kMachineMemoryEnd + 0x12340};
  return kAddresses[random.below(std::size(kAddresses))] + random.below(64);
}
void access_fault(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {lb, lhu, lw, ld, sb, sh, sw, sd, flw, fld, fsd, fsw};
  const unsigned base = any(random);
  std::uint32_t word = random_word(random, kIds[random.below(std::size(kIds))]);
  word = with_field(word, Operand::rs1, base);
  if ((word & 0x7f) == 0x03) word = with_field(word, Operand::rd, other_than(random, {base}));
  const bool store = (word & 0x20) != 0;
  word = with_field(word, store ? Operand::imm_s : Operand::imm_i, random.below(64) * 8);
  load_address(out, base, bad_address(random) & ~std::uint64_t{7});
  out.word(word);
}
void atomic_fault(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {amoadd_w, amoswap_d, amomaxu_w, lr_w, lr_d};
  const unsigned base = any(random);
  load_address(out, base, bad_address(random) & ~std::uint64_t{7});
  std::uint32_t word = random_word(random, kIds[random.below(std::size(kIds))]);
  out.word(
      with_field(with_field(word, Operand::rs1, base), Operand::rd, other_than(random, {base})));
}
void atomic_misaligned(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {amoadd_w, amoxor_w, amominu_w, amoswap_d, amoand_d};
  const unsigned base = any(random);
  const InstructionId id = kIds[random.below(std::size(kIds))];
  load_address(out, base, kMachineArena + 8 * random.below(64) + 1 + random.below(3));
  std::uint32_t word = random_word(random, id);
  out.word(
      with_field(with_field(word, Operand::rs1, base), Operand::rd, other_than(random, {base})));
}
void vector_fault(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {vle8_v, vle32_v, vse64_v, vse16_v, vl1re8_v, vs1r_v};
  const unsigned base = any(random);
  const InstructionId id = kIds[random.below(std::size(kIds))];
  load_address(out, base, bad_address(random) & ~std::uint64_t{7});
  std::uint32_t word = with_field(random_word(random, id), Operand::rs1, base);
  if (has_fields(id)) word = with_field(with_field(word, Operand::nf, 0), Operand::vm, 1);
  out.word(with_field(word, Operand::vd, 8 + 8 * random.below(3)));
  out.write_csr(kCsrVstart, 0);
}
void fetch_fault(Random& random, Assembler& out) {
  const unsigned target = other_than(random, {28, 29}), link = random.below(2);
  load_address(out, 28, kMachineGlobals);
  out.op(auipc, {.rd = 29});
  const std::size_t at = out.bytes();
  load_address(out, target, bad_address(random) & ~std::uint64_t{7});
  const std::size_t body = out.bytes() - at;  // then addi, sd, jalr
  out.add_immediate(29, 29, static_cast<std::int32_t>(4 + body + 12));
  out.store(29, 28, offsetof(MachineGlobals, resume));
  out.op(jalr, {.rd = link, .rs1 = target});
}
void environment_call(Random&, Assembler& out) { out.op(ecall, {}); }
void breakpoint(Random& random, Assembler& out) {
  if (random.one_in(2))
    out.op(ebreak, {});
  else
    out.parcel(0x9002);
}
// Returns to what follows; MIE and MPIE as they come, MPP machine.
void machine_return(Random& random, Assembler& out) {
  const unsigned reg = any(random);
  load_address(out, reg, 0x1800 | (random.one_in(2) ? 0x80 : 0) | (random.one_in(2) ? 8 : 0));
  out.op(csrrs, {.rs1 = reg, .immediate = kMstatus});
  out.op(auipc, {.rd = reg});
  out.add_immediate(reg, reg, 16);
  out.write_csr(kMepc, reg);
  out.op(mret, {});
  out.read_csr(reg, kMstatus);
  masked(out, reg, reg == 30 ? 26 : 30, kSharedStatus);
}
// Reads mstatus after a write to a unit: FS and VS become dirty.
void dirty(Random& random, Assembler& out) {
  static constexpr InstructionId kIds[] = {fadd_s, fmv_w_x, fsgnj_d, vadd_vv, vmv_s_x, vid_v};
  const unsigned reg = any(random);
  load_address(out, reg, 0x6600);
  out.op(csrrc, {.rs1 = reg, .immediate = kMstatus});
  load_address(out, reg, 0x2200);  // initial
  out.op(csrrs, {.rs1 = reg, .immediate = kMstatus});
  const InstructionId id = kIds[random.below(std::size(kIds))];
  std::uint32_t word = random_word(random, id);
  if (has_operand(id, Operand::rm)) word = with_field(word, Operand::rm, 0);
  if (has_operand(id, Operand::vm)) word = with_field(word, Operand::vm, 1);
  out.word(word);
  out.read_csr(reg, kMstatus);
  masked(out, reg, reg == 30 ? 26 : 30, kSharedStatus);
  load_address(out, reg == 30 ? 26 : 30, 0x6600);
  out.op(csrrs, {.rs1 = reg == 30 ? 26U : 30U, .immediate = kMstatus});
  out.write_csr(kCsrFcsr, 0);
}

constexpr Kind kKinds[] = {
    {"csr access", csr_access},
    {"illegal word", illegal_word},
    {"illegal compressed word", illegal_compressed},
    {"rounding mode that does not exist", bad_rounding},
    {"csr that does not exist", no_such_csr},
    {"write to a read-only csr", write_read_only},
    {"float off", float_off},
    {"float csr, float off", float_csr_off},
    {"vector off", vector_off},
    {"vector csr, vector off", vector_csr_off},
    {"vtype ill", vector_type_ill},
    {"load or store access fault", access_fault},
    {"atomic access fault", atomic_fault},
    {"atomic misaligned", atomic_misaligned},
    {"vector access fault", vector_fault},
    {"fetch access fault", fetch_fault},
    {"ecall", environment_call},
    {"ebreak", breakpoint},
    {"mret", machine_return},
    {"unit becomes dirty", dirty},
};

}  // namespace

std::vector<std::string> machine_step_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

MachineStep make_machine_step(Random& random, std::size_t kind) {
  MachineStep step;
  step.name = kKinds[kind].name;
  Assembler out(step.code);
  kKinds[kind].emit(random, out);
  return step;
}

}  // namespace d1::difftest
