// SPDX-License-Identifier: Apache-2.0
// The known faults of the oracle, each with the few instructions that show it. ORACLE.md explains
// them; the generator makes none of them. A fault that is no longer there fails its check, so that
// the list stays true.
#pragma once

#include "image.hpp"

namespace d1::difftest {

// Prints a line for each; 0 where all of them show.
[[nodiscard]] int check_oracle_faults(const OracleRun::Options& options,
                                      const std::string& machine_oracle);

}  // namespace d1::difftest
