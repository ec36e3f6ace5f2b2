// SPDX-License-Identifier: Apache-2.0
// The loops of programs/forms.inc as benchmarks and as a test. One thread.
#pragma once

#include <vector>

#include "bench.hpp"

namespace d1::bench {

[[nodiscard]] std::vector<Case> form_cases();
void measure_forms(Run& run);
// Whether all loops are translated and call no helpers but where that is said; prints the others.
// The exit status of the program.
[[nodiscard]] int check_forms();

}  // namespace d1::bench
