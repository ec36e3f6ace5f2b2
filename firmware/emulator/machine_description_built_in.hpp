// SPDX-License-Identifier: Apache-2.0
// The machines that need no file. No state; safe from any thread.
#pragma once

#include <optional>
#include <string_view>

#include "d1/emulator/machine_description.hpp"

namespace d1::emulator {

// Nothing where there is no built-in machine of that name.
[[nodiscard]] std::optional<MachineDescription> built_in_machine(std::string_view name);

}  // namespace d1::emulator
