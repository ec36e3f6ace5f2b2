// SPDX-License-Identifier: Apache-2.0
// The code around the cases in the program image: entry points, loading and storing a case's state,
// the trap handlers. The same instructions run on both sides, but for the entry and the end.
#pragma once

#include <array>

#include "assembler.hpp"
#include "layout.hpp"

namespace d1::difftest {

struct RuntimeCode {
  Code code;                      // belongs at kCodeBase
  std::uint64_t linux_entry = 0;  // a Linux process: the oracle
  std::uint64_t bare_entry = 0;   // M-mode: our core
  std::uint64_t signal_handler = 0;
  std::array<std::uint64_t, 32> prologue{}, epilogue{};  // by the register that points to the block
};

[[nodiscard]] RuntimeCode make_runtime_code();

}  // namespace d1::difftest
