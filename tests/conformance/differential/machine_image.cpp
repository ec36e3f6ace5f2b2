// SPDX-License-Identifier: Apache-2.0
#include "machine_image.hpp"

#include <cstring>

#include "machine_runners.hpp"

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

constexpr std::int32_t kMstatus = 0x300, kMie = 0x304, kMtvec = 0x305, kMscratch = 0x340,
                       kMepc = 0x341, kMcause = 0x342, kMtval = 0x343;
constexpr std::uint64_t kUart = 0x10000000, kTestDevice = 0x100000;  // of the machine virt
constexpr std::uint32_t kPowerOff = 0x5555;
constexpr std::uint32_t kInitialStatus = 0x7e00;  // FS and VS dirty, MPP machine
constexpr unsigned kPointer = 31;
constexpr std::size_t kHandlerOffset = 256;

struct MachineRuntime {
  Code code;
  std::uint64_t prologue = 0, epilogue = 0;
};

// Steps over the instruction, or goes to `resume` where it could not be fetched.
void emit_handler(Assembler& out) {
  constexpr std::array<unsigned, 5> kUsed = {5, 6, 7, 29, 30};
  out.write_csr(kMscratch, 31, 31);
  for (unsigned i = 0; i < kUsed.size(); ++i)
    out.store(kUsed[i], 31, offsetof(MachineGlobals, saved) + 8 * i);
  out.read_csr(29, kMepc);
  out.read_csr(30, kMcause);
  out.load(5, 31, offsetof(MachineGlobals, current));
  out.load(6, 5, offsetof(MachineBlock, traps));
  out.add_immediate(7, 6, 1);
  out.store(7, 5, offsetof(MachineBlock, traps));
  out.op(sltiu, {.rd = 7, .rs1 = 6, .immediate = kMachineTraps});
  out.op(beq, {.rs1 = 7, .rs2 = 0, .immediate = 9 * 4});  // the log is full
  out.op(slli, {.rd = 6, .rs1 = 6, .immediate = 5});
  out.op(add, {.rd = 5, .rs1 = 5, .rs2 = 6});
  constexpr std::size_t kLog = offsetof(MachineBlock, log);
  out.store(29, 5, kLog + offsetof(MachineTrap, pc));
  out.store(30, 5, kLog + offsetof(MachineTrap, cause));
  out.read_csr(6, kMtval);
  out.store(6, 5, kLog + offsetof(MachineTrap, value));
  out.read_csr(6, kMstatus);
  out.store(6, 5, kLog + offsetof(MachineTrap, status));
  out.load(7, 31, offsetof(MachineGlobals, resume));
  out.add_immediate(30, 30, -1);
  out.op(bne, {.rs1 = 30, .rs2 = 0, .immediate = 3 * 4});
  out.add_immediate(29, 7, 0);
  out.jump(7 * 4);
  out.op(lhu, {.rd = 7, .rs1 = 29});  // its length is 4 where the two lowest bits are set, else 2
  out.op(andi, {.rd = 7, .rs1 = 7, .immediate = 3});
  out.op(sltiu, {.rd = 7, .rs1 = 7, .immediate = 3});
  out.op(slli, {.rd = 7, .rs1 = 7, .immediate = 1});
  out.add_immediate(29, 29, 4);
  out.op(sub, {.rd = 29, .rs1 = 29, .rs2 = 7});
  out.write_csr(kMepc, 29);
  for (unsigned i = 0; i < kUsed.size(); ++i)
    out.load(kUsed[i], 31, offsetof(MachineGlobals, saved) + 8 * i);
  out.write_csr(kMscratch, 31, 31);
  out.op(mret, {});
}

void emit_finish(Assembler& out) {  // x5 = globals, x7 = behind the last block
  out.load(6, 5, offsetof(MachineGlobals, on_oracle));
  out.op(bne, {.rs1 = 6, .rs2 = 0, .immediate = 4 * 4});
  out.add_immediate(6, 0, 1);
  out.store(6, 5, offsetof(MachineGlobals, to_host));
  out.jump(0);
  load_address(out, 8, kMachineBlocks);
  load_address(out, 9, kUart);
  const std::size_t loop = out.bytes();
  out.op(lbu, {.rd = 10, .rs1 = 9, .immediate = 5});  // line status: may the next byte be sent?
  out.op(andi, {.rd = 10, .rs1 = 10, .immediate = 0x20});
  out.op(beq, {.rs1 = 10, .rs2 = 0, .immediate = -8});
  out.op(lbu, {.rd = 10, .rs1 = 8});
  out.op(sb, {.rs1 = 9, .rs2 = 10});
  out.add_immediate(8, 8, 1);
  out.op(bne,
         {.rs1 = 8,
          .rs2 = 7,
          .immediate = static_cast<std::int32_t>(loop) - static_cast<std::int32_t>(out.bytes())});
  load_address(out, 9, kTestDevice);
  load_address(out, 10, kPowerOff);
  out.op(sw, {.rs1 = 9, .rs2 = 10});
  out.jump(0);
}

constexpr std::array<std::pair<std::int32_t, std::size_t>, 12> kFinalCsrs = {{
    {kMstatus, offsetof(MachineBlock, mstatus)},
    {kMtvec, offsetof(MachineBlock, mtvec)},
    {kMepc, offsetof(MachineBlock, mepc)},
    {kMcause, offsetof(MachineBlock, mcause)},
    {kMtval, offsetof(MachineBlock, mtval)},
    {kMscratch, offsetof(MachineBlock, mscratch)},
    {kMie, offsetof(MachineBlock, mie)},
    {kCsrFcsr, offsetof(MachineBlock, fcsr)},
    {kCsrVcsr, offsetof(MachineBlock, vcsr)},
    {kCsrVstart, offsetof(MachineBlock, vstart)},
    {kCsrVl, offsetof(MachineBlock, vl)},
    {kCsrVtype, offsetof(MachineBlock, vtype)},
}};

MachineRuntime make_runtime() {
  MachineRuntime runtime;
  Code& code = runtime.code;
  Assembler out(code);
  const auto here = [&] { return kMachineCode + out.bytes(); };
  out.jump(1024);  // both sides begin at the start of RAM
  code.resize(kHandlerOffset / 2);
  emit_handler(out);
  code.resize(1024 / 2);
  // The prologue: x31 leads to the block.
  runtime.prologue = here();
  load_address(out, 5, kMachineGlobals);
  out.load(6, 5, offsetof(MachineGlobals, current));
  out.load(7, 5, offsetof(MachineGlobals, end));
  const std::size_t to_finish = code.size();
  out.word(0);  // beq x6, x7, finish
  out.add_immediate(kPointer, 6, 0);
  load_address(out, 6, kInitialStatus);
  out.write_csr(kMstatus, 6);
  for (const std::int32_t csr : {kMie, kMepc, kMcause, kMtval, kCsrFcsr, kCsrVcsr, kCsrVstart})
    out.write_csr(csr, 0);
  out.write_csr(kMscratch, 5);
  out.op(vsetivli, {.rd = 0, .rs1 = 4, .immediate = vtype_bits(5, 0, false, false)});
  out.op(sc_d, {.rs1 = kPointer});
  load_address(out, 6, kMachineCode + kHandlerOffset);
  out.load(7, kPointer, offsetof(MachineBlock, vector_mode));
  out.op(add, {.rd = 6, .rs1 = 6, .rs2 = 7});
  out.write_csr(kMtvec, 6);
  for (unsigned i = 1; i < kPointer; ++i) out.load(i, kPointer, offsetof(MachineBlock, x) + 8 * i);
  out.load(kPointer, kPointer, offsetof(MachineBlock, code));
  out.jump_register(kPointer);
  // The epilogue.
  runtime.epilogue = here();
  for (unsigned i = 1; i < kPointer; ++i) out.store(i, kPointer, offsetof(MachineBlock, x) + 8 * i);
  for (const auto& [csr, offset] : kFinalCsrs) {
    out.read_csr(5, csr);
    out.store(5, kPointer, offset);
  }
  load_address(out, 5, kMachineGlobals);
  out.add_immediate(6, kPointer, sizeof(MachineBlock));
  out.store(6, 5, offsetof(MachineGlobals, current));
  out.jump(static_cast<std::int64_t>(runtime.prologue - here()));
  const std::uint32_t branch = isa::encode(
      beq,
      {.rs1 = 6, .rs2 = 7, .immediate = static_cast<std::int32_t>(out.bytes() - 2 * to_finish)});
  code[to_finish] = static_cast<std::uint16_t>(branch);
  code[to_finish + 1] = static_cast<std::uint16_t>(branch >> 16);
  emit_finish(out);
  return runtime;
}

// ORACLE.md 8: the oracle calls faults of AMOs load faults. Returns how many it mended.
std::uint64_t mend_amo_causes(std::vector<MachineBlock>& blocks, const MachineImage& image) {
  constexpr std::uint32_t kAmoOpcode = 0x2f, kLoadReserved = 2;
  constexpr std::uint64_t kLoadMisaligned = 4, kLoadAccess = 5, kStoreBit = 2;
  std::uint64_t mended = 0;
  for (MachineBlock& block : blocks) {
    for (MachineTrap& trap : block.log) {
      const std::uint64_t offset = trap.pc - kMachineCode;
      if (offset >= image.code.size() - 4) continue;
      std::uint32_t word;
      std::memcpy(&word, image.code.data() + offset, sizeof(word));
      if ((word & 0x7f) != kAmoOpcode || word >> 27 == kLoadReserved) continue;
      if (trap.cause != kLoadMisaligned && trap.cause != kLoadAccess) continue;
      if (&trap == &block.log[(block.traps - 1) % kMachineTraps] && block.mcause == trap.cause)
        block.mcause |= kStoreBit;
      trap.cause |= kStoreBit;
      ++mended;
    }
  }
  return mended;
}

void make_relative(std::vector<MachineBlock>& blocks, const MachineImage& image) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto relative = [&](std::uint64_t& pc) {
      if (pc - image.case_code[i] < 4096) pc -= image.case_code[i];
    };
    blocks[i].code = 0;
    relative(blocks[i].mepc);
    relative(blocks[i].mtval);
    blocks[i].mstatus &= kSharedStatus;
    // mtval of a breakpoint may be its pc (ours) or 0 (the oracle): P 3.1.16.
    const auto breakpoint_value = [](std::uint64_t cause, std::uint64_t pc, std::uint64_t& value) {
      if (cause == static_cast<std::uint64_t>(isa::Cause::Breakpoint) && value == pc) value = 0;
    };
    for (MachineTrap& trap : blocks[i].log) {
      relative(trap.pc);
      relative(trap.value);
      breakpoint_value(trap.cause, trap.pc, trap.value);
      trap.status &= kSharedStatus;
      breakpoint_value(trap.cause, trap.pc, blocks[i].mtval);
    }
  }
}

}  // namespace

void load_address(Assembler& out, unsigned rd, std::uint64_t value) {
  out.load_immediate(rd, static_cast<std::uint32_t>(value));
  if (value >> 31 != 0) out.op(add_uw, {.rd = rd, .rs1 = rd});
}

Result<MachineOutcomes> run_machine(std::span<const MachineCase> cases, const std::string& oracle,
                                    const std::filesystem::path& folder) {
  static const MachineRuntime kRuntime = make_runtime();
  MachineImage image;
  Code code = kRuntime.code;
  Assembler out(code);
  image.blocks.resize(cases.size() * sizeof(MachineBlock));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    MachineBlock block = cases[i].initial;
    block.code = kMachineCode + out.bytes();
    image.case_code.push_back(block.code);
    for (const MachineStep& step : cases[i].steps)
      code.insert(code.end(), step.code.begin(), step.code.end());
    load_address(out, kPointer, kMachineBlocks + i * sizeof(MachineBlock));
    out.jump(static_cast<std::int64_t>(kRuntime.epilogue - kMachineCode) -
             static_cast<std::int64_t>(out.bytes()));
    if (code.size() % 2 != 0) out.parcel(1);  // c.nop
    std::memcpy(image.blocks.data() + i * sizeof(block), &block, sizeof(block));
  }
  image.code.resize(2 * code.size());
  std::memcpy(image.code.data(), code.data(), image.code.size());
  image.globals.current = kMachineBlocks;
  image.globals.end = kMachineBlocks + image.blocks.size();
  auto theirs = run_machine_oracle(image, oracle, folder);
  if (!theirs) return std::unexpected(theirs.error());
  auto ours = run_machine_ours(image);
  if (!ours) return std::unexpected(ours.error());
  const std::uint64_t mended = mend_amo_causes(*theirs, image);
  make_relative(*ours, image);
  make_relative(*theirs, image);
  return MachineOutcomes{std::move(*ours), std::move(*theirs), mended};
}

}  // namespace d1::difftest
