// SPDX-License-Identifier: Apache-2.0
// The engine that proves the translator: every turn is run by the interpreter on the hart itself,
// and by translated code on a twin of it with a copy of its memory window. Registers, control and
// status registers, counters, traps and reservations are compared after each block or each turn
// (EngineOptions::lockstep_unit), memory after each turn.
//
// What a hart asks of its node (remote accesses, posts, puts, prints, fence.i) is done once, for
// the interpreter; the translated run must ask the same and is given the recorded answers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace d1::emulator {

// A place where translated code did something else than the interpreter.
struct LockstepDifference {
  HostLevel level = HostLevel::Portable;
  LockstepUnit unit = LockstepUnit::Block;
  unsigned hart = 0;                   // within its node
  std::uint64_t pc = 0;                // where the block, or the turn, began
  std::uint64_t ran = 0;               // instructions the interpreter retired in it
  std::vector<std::string> code{};     // of the block there, disassembled
  std::vector<std::string> differs{};  // "a0: interpreted 0x1, translated 0x2"

  [[nodiscard]] std::string to_string() const;  // lines
};

// Told of each difference, on the thread that ran the hart. If it returns, the hart goes on in the
// state of the interpreter.
using LockstepObserver = std::function<void(const LockstepDifference&)>;

// Prints the difference to standard error and aborts the process.
[[noreturn]] void end_with_report(const LockstepDifference& difference);

// Null where the host cannot run translated code.
[[nodiscard]] std::unique_ptr<Engine> make_lockstep(const EngineOptions& options,
                                                    LockstepObserver observer);

}  // namespace d1::emulator
