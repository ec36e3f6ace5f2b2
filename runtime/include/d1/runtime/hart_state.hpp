// SPDX-License-Identifier: Apache-2.0
// What a hart does, in words: for reports of the runtime and for tools.
#pragma once

#include <d1/abi/commands.h>

#include <string>

namespace d1::runtime {

// "running", "waiting for semaphore 7 to hold 3 (it holds 0)".
[[nodiscard]] std::string describe(const d1_hart_report& hart);

}  // namespace d1::runtime
