// SPDX-License-Identifier: Apache-2.0
#include "runtime_code.hpp"

#include <algorithm>

namespace d1::difftest {

namespace {

using enum isa::InstructionId;

// Registers of the run-time code. A prologue or epilogue avoids the pointer it is made for.
constexpr unsigned kA0 = 10, kA1 = 11, kA2 = 12, kA3 = 13, kA7 = 17;
constexpr unsigned kSystemWrite = 64, kSystemExit = 93, kSystemSigaltstack = 132,
                   kSystemSigaction = 134;
constexpr std::size_t kContextPc = 176;  // of the pc in the ucontext of a riscv64 signal frame
constexpr std::int32_t kMstatus = 0x300, kMtvec = 0x305, kMscratch = 0x340, kMepc = 0x341,
                       kMcause = 0x342;
constexpr std::uint32_t kUnitsOn = 0x6600;  // FS and VS dirty

constexpr std::size_t kVectorBytes = 8 * 64;  // what vl8re8.v moves

std::uint64_t here(const Code& code) { return kCodeBase + 2 * code.size(); }

// The two lowest registers that are not the pointer.
struct Temporaries {
  unsigned a, b;
  explicit Temporaries(unsigned pointer) : a(pointer == 5 ? 7 : 5), b(pointer == 6 ? 7 : 6) {}
};

void copy_vectors(Assembler& out, unsigned from, unsigned to) {
  for (std::size_t done = 0; done < kArenaBytes; done += kVectorBytes) {
    out.op(vl8re8_v, {.rd = 0, .rs1 = from});
    out.op(vs8r_v, {.rd = 0, .rs1 = to});
    out.add_immediate(from, from, kVectorBytes);
    out.add_immediate(to, to, kVectorBytes);
  }
}

// address = block + offset, which does not fit into an immediate
void block_address(Assembler& out, unsigned rd, unsigned pointer, std::size_t offset) {
  out.load_immediate(rd, static_cast<std::uint32_t>(offset));
  out.op(add, {.rd = rd, .rs1 = rd, .rs2 = pointer});
}

void emit_prologue(Assembler& out, unsigned pointer) {
  const auto [a, b] = Temporaries(pointer);
  out.load_immediate(pointer, kDataBase);
  out.load(pointer, pointer, offsetof(Globals, current));
  out.write_csr(kCsrVstart, 0);
  out.op(sc_d, {.rs1 = pointer});  // drops a reservation that the case before left; never succeeds
  block_address(out, a, pointer, offsetof(Block, arena));
  out.load_immediate(b, kArena);
  copy_vectors(out, a, b);
  block_address(out, a, pointer, offsetof(Block, v));
  for (unsigned v = 0; v < 32; v += 8) {
    out.op(vl8re8_v, {.rd = v, .rs1 = a});
    out.add_immediate(a, a, kVectorBytes);
  }
  for (unsigned i = 0; i < 32; ++i)
    out.op(fld, {.rd = i,
                 .rs1 = pointer,
                 .immediate = static_cast<std::int32_t>(offsetof(Block, f) + 8 * i)});
  out.load(a, pointer, offsetof(Block, vl));
  out.load(b, pointer, offsetof(Block, vtype));
  out.op(vsetvl, {.rs1 = a, .rs2 = b});
  out.load(a, pointer, offsetof(Block, fcsr));
  out.write_csr(kCsrFcsr, a);
  out.load(a, pointer, offsetof(Block, vcsr));
  out.write_csr(kCsrVcsr, a);
  for (unsigned i = 1; i < 32; ++i)
    if (i != pointer) out.load(i, pointer, offsetof(Block, x) + 8 * i);
  out.load(pointer, pointer, offsetof(Block, code));
  out.jump_register(pointer);
}

void emit_epilogue(Assembler& out, unsigned pointer, std::uint64_t next_case) {
  const auto [a, b] = Temporaries(pointer);
  for (unsigned i = 1; i < 32; ++i)
    if (i != pointer) out.store(i, pointer, offsetof(Block, x) + 8 * i);
  const auto save = [&](std::int32_t csr, std::size_t offset) {
    out.read_csr(a, csr);
    out.store(a, pointer, offset);
  };
  save(kCsrVstart, offsetof(Block, vstart));
  save(kCsrVl, offsetof(Block, vl));
  save(kCsrVtype, offsetof(Block, vtype));
  save(kCsrVcsr, offsetof(Block, vcsr));
  save(kCsrFcsr, offsetof(Block, fcsr));
  for (unsigned i = 0; i < 32; ++i)
    out.op(fsd, {.rs1 = pointer,
                 .rs2 = i,
                 .immediate = static_cast<std::int32_t>(offsetof(Block, f) + 8 * i)});
  out.write_csr(kCsrVstart, 0);
  out.op(vsetvli, {.rd = a, .immediate = vtype_bits(3, 0, false, false)});
  block_address(out, a, pointer, offsetof(Block, v));
  for (unsigned v = 0; v < 32; v += 8) {
    out.op(vs8r_v, {.rd = v, .rs1 = a});
    out.add_immediate(a, a, kVectorBytes);
  }
  block_address(out, b, pointer, offsetof(Block, arena));
  out.load_immediate(a, kArena);
  copy_vectors(out, a, b);
  out.jump(static_cast<std::int64_t>(next_case - kCodeBase) -
           static_cast<std::int64_t>(out.bytes()));
}

// Logs a trap and steps over the instruction. x29 = pc, x30 = cause; x5 to x7 are free; leaves the
// next pc in x29.
void emit_trap_log(Assembler& out) {
  out.load_immediate(5, kDataBase);
  out.load(5, 5, offsetof(Globals, current));
  out.load(6, 5, offsetof(Block, traps));
  out.add_immediate(7, 6, 1);
  out.store(7, 5, offsetof(Block, traps));
  out.op(sltiu, {.rd = 7, .rs1 = 6, .immediate = kTrapLogEntries});
  out.op(beq, {.rs1 = 7, .rs2 = 0, .immediate = 5 * 4});  // the log is full
  out.op(slli, {.rd = 6, .rs1 = 6, .immediate = 4});
  out.op(add, {.rd = 5, .rs1 = 5, .rs2 = 6});
  out.store(29, 5, offsetof(Block, log) + offsetof(TrapEntry, pc));
  out.store(30, 5, offsetof(Block, log) + offsetof(TrapEntry, cause));
  // Its length is 4 where the two lowest bits are set, else 2.
  out.op(lhu, {.rd = 7, .rs1 = 29});
  out.op(andi, {.rd = 7, .rs1 = 7, .immediate = 3});
  out.op(sltiu, {.rd = 7, .rs1 = 7, .immediate = 3});
  out.op(slli, {.rd = 7, .rs1 = 7, .immediate = 1});
  out.add_immediate(29, 29, 4);
  out.op(sub, {.rd = 29, .rs1 = 29, .rs2 = 7});
}

void emit_signal_handler(Assembler& out) {  // (signal, information, context)
  out.load(29, kA2, kContextPc);
  out.add_immediate(30, kA0, 0);
  emit_trap_log(out);
  out.store(29, kA2, kContextPc);
  out.jump_register(1);
}

void emit_machine_handler(Assembler& out) {
  constexpr std::array<unsigned, 5> kUsed = {5, 6, 7, 29, 30};
  out.write_csr(kMscratch, 31, 31);  // x31 = kDataBase
  for (unsigned i = 0; i < kUsed.size(); ++i)
    out.store(kUsed[i], 31, offsetof(Globals, saved) + 8 * i);
  out.read_csr(29, kMepc);
  out.read_csr(30, kMcause);
  emit_trap_log(out);
  out.write_csr(kMepc, 29);
  for (unsigned i = 0; i < kUsed.size(); ++i)
    out.load(kUsed[i], 31, offsetof(Globals, saved) + 8 * i);
  out.write_csr(kMscratch, 31, 31);
  out.op(mret, {});
}

void system_call(Assembler& out, unsigned number) {
  out.add_immediate(kA7, 0, static_cast<std::int32_t>(number));
  out.op(ecall, {});
}

void emit_linux_entry(Assembler& out) {
  out.load_immediate(8, kDataBase);
  out.add_immediate(kA0, 8, offsetof(Globals, signal_stack));
  out.add_immediate(kA1, 0, 0);
  system_call(out, kSystemSigaltstack);
  for (const int signal : {4, 5, 7, 8, 11}) {  // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV
    out.add_immediate(kA0, 0, signal);
    out.add_immediate(kA1, 8, offsetof(Globals, signal_action));
    out.add_immediate(kA2, 0, 0);
    out.add_immediate(kA3, 0, 8);
    system_call(out, kSystemSigaction);
  }
}

void emit_bare_entry(Assembler& out, std::uint64_t handler) {
  out.load_immediate(5, kUnitsOn);
  out.write_csr(kMstatus, 5);
  out.load_immediate(5, static_cast<std::uint32_t>(handler));
  out.write_csr(kMtvec, 5);
  out.load_immediate(5, kDataBase);
  out.write_csr(kMscratch, 5);
  out.add_immediate(6, 0, 1);
  out.store(6, 5, offsetof(Globals, bare));
}

// x5 = kDataBase, x7 = behind the last block
void emit_finish(Assembler& out) {
  out.load(6, 5, offsetof(Globals, bare));
  out.op(beq, {.rs1 = 6, .rs2 = 0, .immediate = 3 * 4});
  out.store(6, 5, offsetof(Globals, to_host));  // code 0 << 1 | 1
  out.jump(0);
  out.load_immediate(8, kBlockBase);
  out.op(sub, {.rd = 9, .rs1 = 7, .rs2 = 8});
  const std::size_t loop = out.bytes();
  out.add_immediate(kA0, 0, 1);
  out.add_immediate(kA1, 8, 0);
  out.add_immediate(kA2, 9, 0);
  system_call(out, kSystemWrite);
  out.op(bge, {.rs1 = 0, .rs2 = kA0, .immediate = 4 * 4});
  out.op(add, {.rd = 8, .rs1 = 8, .rs2 = kA0});
  out.op(sub, {.rd = 9, .rs1 = 9, .rs2 = kA0});
  out.op(bne,
         {.rs1 = 9,
          .immediate = static_cast<std::int32_t>(loop) - static_cast<std::int32_t>(out.bytes())});
  out.op(sltu, {.rd = kA0, .rs1 = 0, .rs2 = 9});  // 1: something could not be written
  system_call(out, kSystemExit);
}

}  // namespace

RuntimeCode make_runtime_code() {
  RuntimeCode result;
  Code& code = result.code;
  Assembler out(code);
  result.signal_handler = here(code);
  emit_signal_handler(out);
  const std::uint64_t machine_handler = here(code);
  emit_machine_handler(out);
  const std::uint64_t next_case = here(code);
  out.load_immediate(5, kDataBase);
  out.load(6, 5, offsetof(Globals, current));
  out.load_immediate(7, sizeof(Block));
  out.op(add, {.rd = 6, .rs1 = 6, .rs2 = 7});
  out.store(6, 5, offsetof(Globals, current));
  const std::uint64_t run_case = here(code);
  out.load_immediate(5, kDataBase);
  out.load(6, 5, offsetof(Globals, current));
  out.load(7, 5, offsetof(Globals, end));
  out.op(beq, {.rs1 = 6, .rs2 = 7, .immediate = 3 * 4});
  out.load(7, 6, offsetof(Block, prologue));
  out.jump_register(7);
  emit_finish(out);
  const auto go = [&] {
    out.jump(static_cast<std::int64_t>(run_case) - static_cast<std::int64_t>(here(code)));
  };
  result.linux_entry = here(code);
  emit_linux_entry(out);
  go();
  result.bare_entry = here(code);
  emit_bare_entry(out, machine_handler);
  go();
  for (unsigned pointer = kFirstPointer; pointer < kFirstPointer + kPointers; ++pointer) {
    result.prologue[pointer] = here(code);
    emit_prologue(out, pointer);
    result.epilogue[pointer] = here(code);
    emit_epilogue(out, pointer, next_case);
  }
  return result;
}

}  // namespace d1::difftest
