// SPDX-License-Identifier: Apache-2.0
// What libFuzzer calls; replay.cpp calls it where libFuzzer is not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes);

namespace d1::fuzz {

// Ends the run with this input as a finding.
inline void require(bool condition, const char* otherwise) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", otherwise);
  std::abort();
}

}  // namespace d1::fuzz
