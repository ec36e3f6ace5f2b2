// SPDX-License-Identifier: Apache-2.0
// One decoded instruction. All facts about instructions come from the tables in firmware/isa/table:
// each line there gives a name, an encoding, operands, the extension, the unit and the latency.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <d1/isa/hart.hpp>

namespace d1::isa {

// Every instruction of the tables, in their order; Illegal stands for all other encodings.
enum class InstructionId : std::uint16_t {
  Illegal = 0,
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) id,
#include <d1/isa/table/all.def>
#undef D1_INSTRUCTION
  Count
};

enum class Extension : std::uint8_t {
  I, M, A, F, D, C, Zicsr, Zifencei, Zicond, Zihintpause, Privileged, Zba, Zbb, Zbs, Zfh,
  V, Zvfh, Zfbfmin, Zvfbfmin, Zvfbfwma, Xd1
};

// A decoded instruction. Compressed instructions decode to their full form with length 2.
struct Instruction {
  InstructionId id = InstructionId::Illegal;
  std::uint8_t length = 4;       // bytes in memory: 2 or 4
  std::uint8_t rd = 0, rs1 = 0, rs2 = 0, rs3 = 0;
  std::int32_t immediate = 0;    // sign-extended; shift amounts, CSR numbers, vsetvli's vtype too
  std::uint32_t raw = 0;         // the encoding (16 bits for compressed ones)
  std::uint32_t full = 0;        // the 32-bit encoding, expanded where compressed: fields such as
                                 // rm [14:12], vm [25], nf [31:29], aq/rl [26:25] are read here
};

// What the tables say about an instruction. Static data.
struct InstructionFacts {
  std::string_view mnemonic;   // "vadd.vv"
  std::string_view operands;   // operand letters, see README
  Extension extension;
  Unit unit;
  std::uint8_t latency;        // cycles until the result can be used
  std::uint32_t mask, match;
};

[[nodiscard]] const InstructionFacts& facts(InstructionId id) noexcept;

// Decodes the instruction whose first bytes are `bits` (the low 16 alone if it is compressed).
// Never fails: what is no instruction has id Illegal and the length its low bits announce.
[[nodiscard]] Instruction decode(std::uint32_t bits) noexcept;

// Assembler text, e.g. "vadd.vv v8, v16, v24, v0.t"; pc makes branch targets absolute.
[[nodiscard]] std::string disassemble(const Instruction& instruction, std::uint64_t pc);

// An instruction ready to run at a known address: what the semantics take. Engines make it from
// Instruction and share it between all nodes that run the same code, so it never changes.
struct Operation {
  Outcome (*handler)(Hart&, const Operation*) = nullptr;  // the interpreter's; others leave it
  std::uint64_t pc = 0;
  std::int64_t immediate = 0;
  std::uint32_t full = 0;
  InstructionId id = InstructionId::Illegal;
  std::uint8_t length = 4;
  std::uint8_t rd = 0, rs1 = 0, rs2 = 0, rs3 = 0;
  std::uint16_t compressed = 0;  // the encoding in memory where it has two bytes, else 0

  [[nodiscard]] std::uint64_t next_pc() const noexcept { return pc + length; }
  [[nodiscard]] unsigned rm() const noexcept { return full >> 12 & 7; }
  [[nodiscard]] bool vm() const noexcept { return full >> 25 & 1; }       // 1: unmasked
  [[nodiscard]] unsigned fields() const noexcept { return (full >> 29) + 1; }  // nf of V
};

[[nodiscard]] inline Outcome trap(Hart& hart, const Operation& operation, Cause cause,
                                  std::uint64_t value) noexcept {
  hart.pc = operation.pc;
  hart.trap = {cause, value};
  return Outcome::Trap;
}

[[nodiscard]] inline Outcome illegal(Hart& hart, const Operation& operation) noexcept {
  // mtval shows what stands in memory, not the expansion of a compressed instruction.
  return trap(hart, operation, Cause::IllegalInstruction,
              operation.compressed != 0 ? operation.compressed : operation.full);
}

}  // namespace d1::isa
