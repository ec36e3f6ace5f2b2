// SPDX-License-Identifier: Apache-2.0
// Runs a program to its end and keeps what it writes. Blocks, at most until the deadline; the
// program is killed then. Any thread.
#pragma once

#include <d1/base/error.hpp>
#include <d1/driver/limits.hpp>

#include <string>
#include <vector>

namespace d1::runtime {

struct ProcessResult {
  int exit_code = 0;  // 128 + signal if a signal ended it
  std::string output, errors;
};

// arguments[0] is the program, looked up in PATH.
[[nodiscard]] Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                                driver::Deadline deadline);

}  // namespace d1::runtime
