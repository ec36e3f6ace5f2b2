// SPDX-License-Identifier: Apache-2.0
// Whether two harts are in the same state, and what differs if not. Pure functions.
#pragma once

#include <string>
#include <vector>

#include <d1/isa/hart.hpp>

namespace d1::emulator {

// Everything an instruction can change but memory: registers, control and status registers,
// counters, the last trap, what the hart waits for, and the reservations of all harts of the node.
// Fast where nothing differs.
[[nodiscard]] bool same_state(const isa::Hart& a, const isa::Hart& b) noexcept;

// One line for each thing that differs: "a0: interpreted 0x1, translated 0x2".
[[nodiscard]] std::vector<std::string> state_differences(const isa::Hart& interpreted,
                                                         const isa::Hart& translated);

}  // namespace d1::emulator
