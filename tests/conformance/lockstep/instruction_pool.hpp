// SPDX-License-Identifier: Apache-2.0
// The instructions of the table by what a generator has to know of them. Static data.
#pragma once

#include <vector>

#include "../differential/step_parts.hpp"

namespace d1::difftest {

struct InstructionPool {
  std::vector<InstructionId> integer;       // registers and immediates alone
  std::vector<InstructionId> loads_stores;  // of integers
  std::vector<InstructionId> atomics;       // AMO, LR, SC
  std::vector<InstructionId> floats;        // no memory
  std::vector<InstructionId> float_memory;
  std::vector<InstructionId> vector_integer, vector_float, vector_memory;  // of V
  std::vector<InstructionId> matrix;   // Xd1 on vector registers
  std::vector<InstructionId> outside;  // system instructions that do not end the program
};

[[nodiscard]] const InstructionPool& instruction_pool();

}  // namespace d1::difftest
