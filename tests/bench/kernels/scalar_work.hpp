// SPDX-License-Identifier: Apache-2.0
// The scalar work of the mips benchmarks: integer code with loads, stores and a branch on data,
// over 4 KiB. Compiled for the node and for the host, which checks the node's result.
#pragma once

#include <cstddef>
#include <cstdint>

namespace d1::bench {

inline constexpr std::size_t scalar_words = 4096 / sizeof(std::uint64_t);

inline std::uint64_t scalar_work(std::uint64_t* words, std::uint64_t rounds, std::uint64_t seed) {
  std::uint64_t state = seed;
  for (std::size_t i = 0; i < scalar_words; ++i)
    words[i] = state = state * 6364136223846793005u + 1442695040888963407u;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < scalar_words; ++i) {
      state += words[i];
      state ^= state >> 7;
      if (state & 4) state ^= words[state >> 5 & (scalar_words - 1)];
      words[i] = state + (state << 3);
    }
  }
  return state;
}

}  // namespace d1::bench
