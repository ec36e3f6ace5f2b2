// SPDX-License-Identifier: Apache-2.0
// Random M-mode steps: CSR accesses and every way to trap. A step leaves the trap handler's own
// registers (mtvec, mscratch) as it found them.
#pragma once

#include "machine_image.hpp"
#include "random_state.hpp"

namespace d1::difftest {

// What kinds of steps there are; the coverage counts them by name.
[[nodiscard]] std::vector<std::string> machine_step_names();
[[nodiscard]] MachineStep make_machine_step(Random& random, std::size_t kind);

}  // namespace d1::difftest
