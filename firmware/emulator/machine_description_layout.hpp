// SPDX-License-Identifier: Apache-2.0
// Whether every usable node of a machine reaches every other one, by the routes the network model
// takes: within each die by usable neighbours, and from each die to each of its neighbours over at
// least one border position that is usable on both sides. No state; safe from any thread.
#pragma once

#include "d1/emulator/machine_description.hpp"

namespace d1::emulator {

[[nodiscard]] Result<> check_layout(const MachineDescription& machine);

}  // namespace d1::emulator
