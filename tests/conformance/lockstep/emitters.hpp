// SPDX-License-Identifier: Apache-2.0
// Which instructions the translator turns into host code at a level, and whether that code was seen
// to run.
#pragma once

#include <map>
#include <string>

#include "program_run.hpp"

namespace d1::difftest {

struct EmitterUse {
  std::uint64_t in_line = 0;      // times it was translated to host code
  std::uint64_t ran_in_line = 0;  // 1 once that code was seen to run and to call no semantics
  std::uint64_t called = 0;       // calls of its semantics function by translated code
};

// Tries each instruction that may be translated in a block of its own, with many operands and under
// each vtype, compared with the interpreter. By mnemonic; throws std::runtime_error on a
// difference.
[[nodiscard]] std::map<std::string, EmitterUse> try_emitters(emulator::HostLevel level,
                                                             std::uint64_t seed);

}  // namespace d1::difftest
