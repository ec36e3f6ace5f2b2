// SPDX-License-Identifier: Apache-2.0
// The comparison in M-mode: CSRs, traps and what they leave behind.
#pragma once

#include <cstdint>
#include <string>

namespace d1::difftest {

struct MachineOptions {
  std::uint64_t seed = 1;
  std::uint64_t instructions = 0;  // steps, at the least; 0: enough for every kind of step
  std::string filter;              // kinds of steps in whose name this expression is found
  unsigned most_reports = 5;
  std::string oracle = "qemu-system-riscv64";
};

// Prints what differs and how often each kind of step was compared. 0: no difference, every kind
// compared; 1: else; 2: it could not be run.
[[nodiscard]] int run_machine_session(const MachineOptions& options);

}  // namespace d1::difftest
