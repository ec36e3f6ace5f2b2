// SPDX-License-Identifier: Apache-2.0
// Finds a small program that still differs.
#pragma once

#include <functional>

#include "program.hpp"

namespace d1::difftest {

// Leaves out rounds, turns, items, and parts of items as long as `differs` says that what is left
// does. The program given must differ.
[[nodiscard]] Program reduce(Program program, const std::function<bool(const Program&)>& differs);

}  // namespace d1::difftest
