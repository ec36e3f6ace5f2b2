// SPDX-License-Identifier: Apache-2.0
// How often a test repeats what it does, and how long it waits.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>

namespace d1::test {

// Sanitizers make everything slower.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// As often as given, for CI; D1_SOAK_ROUNDS says how often at least in a long run.
[[nodiscard]] inline int rounds(int usual) {
  const char* const asked = std::getenv("D1_SOAK_ROUNDS");
  return asked == nullptr ? usual : std::max(usual, std::atoi(asked));
}

// A promised time, and more where sanitizers look on.
template <typename Duration>
[[nodiscard]] constexpr auto patience(Duration promised) {
  return promised * (kSanitized ? 10 : 1);
}

// Mappings that a process may have more of after some rounds: the allocator keeps or cuts one or
// two. Sanitizers map more and more of their own as addresses are used.
inline constexpr std::size_t kSpareMappings = kSanitized ? 1000 : 3;

}  // namespace d1::test
