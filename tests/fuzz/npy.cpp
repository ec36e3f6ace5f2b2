// SPDX-License-Identifier: Apache-2.0
// The .npy reader.
#include "target.hpp"

#include <d1/npy.hpp>

#include <span>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const auto array = d1::parse_npy(std::as_bytes(std::span(data, bytes)), "input.npy");
  if (!array) return 0;
  std::size_t count = 1;
  for (const std::size_t size : array->shape) count *= size;
  d1::fuzz::require(array->count() == count, "The shape and the data do not agree.");
  return 0;
}
