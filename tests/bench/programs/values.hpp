// SPDX-License-Identifier: Apache-2.0
// Values of matrices and vectors in the benchmarks: integers from -4 to 4. All sums of products are
// exact, so neither their order nor a fused multiplication and addition makes a difference.
// For the host, the nodes and qemu-user.
#pragma once

#include <cstddef>
#include <cstdint>

namespace d1::bench {

template <typename T>
void fill_with_small_integers(T* values, std::size_t count, std::uint32_t seed) {
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = static_cast<T>(static_cast<float>(static_cast<std::int32_t>((seed >> 16) % 9) - 4));
  }
}

// Changes with each element and its place.
template <typename T>
std::uint64_t sum_of_integers(const T* values, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    sum = sum * 31 + static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i]));
  return sum;
}

}  // namespace d1::bench
