// SPDX-License-Identifier: Apache-2.0
// Runs programs on a hart by the lockstep engine. One thread.
#pragma once

#include <memory>
#include <optional>

#include <engine/lockstep.hpp>

#include "program.hpp"

namespace d1::difftest {

// One way to run a program: what is compared, and what the translator does.
struct Variant {
  emulator::HostLevel level = emulator::HostLevel::Portable;
  emulator::LockstepUnit unit = emulator::LockstepUnit::Turn;
  std::uint32_t runs_before_translation = 0;
  std::size_t code_bytes = std::size_t{16} << 20;
  bool count_execution = false;
  emulator::MemoryBase base = emulator::MemoryBase::Segment;
};
[[nodiscard]] std::string name_of(const Variant& variant);

class ProgramRunner {
 public:
  struct Result {
    std::optional<emulator::LockstepDifference> difference;  // the first one
    std::uint64_t instructions = 0, traps = 0, turns = 0;
  };

  // Throws std::runtime_error where the host runs no translated code.
  explicit ProgramRunner(const Variant& variant);
  ~ProgramRunner();
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  // Runs until all rounds are over or something differs. The program decides everything.
  [[nodiscard]] Result run(const Program& program);

  // Of the translator, since it was made.
  [[nodiscard]] emulator::EngineStatistics statistics() const;

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace d1::difftest
