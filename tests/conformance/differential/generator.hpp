// SPDX-License-Identifier: Apache-2.0
// Makes the cells of the coverage and random steps for a cell. All that an instruction needs to be
// legal is set up by its own step, so steps can be combined and left out freely.
#pragma once

#include <optional>
#include <regex>

#include "case.hpp"
#include "random_state.hpp"
#include "vector_form.hpp"

namespace d1::difftest {

// Every cell that is legal and that the oracle has: RV64GCV, Zba, Zbb, Zbs, Zfh, and Zvfh if asked.
[[nodiscard]] std::vector<Cell> all_cells(const std::optional<std::regex>& filter);

[[nodiscard]] RoundingKind rounding_kind(const Cell& cell);

// A random step for the cell. Never fails; `counts` tells whether it covers the cell.
[[nodiscard]] Step make_step(Random& random, const Cell& cell);

}  // namespace d1::difftest
