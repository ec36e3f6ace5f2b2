// SPDX-License-Identifier: Apache-2.0
// Square BF16 matrices of small integers, whose product has one right value whatever the order of
// its sums (programs/values.hpp), and the check of a product. Any thread; nothing waits.
#pragma once

#include <d1/d1.hpp>

#include "programs/values.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace d1::bench {

[[nodiscard]] inline std::vector<bf16> matrix_of_small_integers(std::size_t size,
                                                                std::uint32_t seed) {
  std::vector<bf16> matrix(size * size);
  fill_with_small_integers(matrix.data(), matrix.size(), seed);
  return matrix;
}

// Matrix x vector, exact.
template <typename T>
[[nodiscard]] std::vector<double> times(std::span<const T> matrix,
                                        const std::vector<double>& vector) {
  std::vector<double> product(vector.size());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    for (std::size_t j = 0; j < vector.size(); ++j)
      product[i] += static_cast<double>(matrix[i * vector.size() + j]) * vector[j];
  }
  return product;
}

// Whether c = a x b, by comparing c x v with a x (b x v): some wrong elements go unnoticed only if
// their errors, weighed by numbers that have nothing to do with them, add up to nothing.
[[nodiscard]] inline bool is_product(std::span<const bf16> a, std::span<const bf16> b,
                                     std::span<const float> c, std::size_t size) {
  std::vector<double> weights(size);
  std::uint32_t state = 12345;
  for (double& weight : weights) {
    state = state * 1664525u + 1013904223u;
    weight = static_cast<double>(state >> 12);
  }
  return times(c, weights) == times(a, times(b, weights));
}

}  // namespace d1::bench
