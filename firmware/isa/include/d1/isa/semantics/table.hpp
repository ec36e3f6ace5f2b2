// SPDX-License-Identifier: Apache-2.0
// From an instruction to the function that runs it, and to the operation that function takes.
// For tools and tests; the interpreter's handlers inline the scalar semantics instead.
#pragma once

#include <d1/isa/instruction.hpp>

namespace d1::isa {

using Semantics = Outcome (*)(Hart&, const Operation&);

// Never null: encodings that are no instruction trap as illegal.
[[nodiscard]] Semantics semantics_of(InstructionId id) noexcept;

[[nodiscard]] inline Operation make_operation(const Instruction& instruction,
                                              std::uint64_t pc) noexcept {
  Operation operation;
  operation.pc = pc;
  operation.immediate = instruction.immediate;
  operation.full = instruction.full;
  operation.id = instruction.id;
  operation.length = instruction.length;
  operation.rd = instruction.rd;
  operation.rs1 = instruction.rs1;
  operation.rs2 = instruction.rs2;
  operation.rs3 = instruction.rs3;
  if (instruction.length == 2) operation.compressed = static_cast<std::uint16_t>(instruction.raw);
  return operation;
}

}  // namespace d1::isa
