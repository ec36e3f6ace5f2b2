// SPDX-License-Identifier: Apache-2.0
// What a test needs of its target; where that cannot do it, the test is skipped with a sentence:
//
//   d1::hil::Rig rig;
//   D1_HIL_NEEDS(rig, d1::hil::nodes(100), d1::hil::fault_injection);
//
// Plain values; any thread.
#pragma once

#include <cstdint>

namespace d1::hil {

struct Need {
  enum Kind : std::uint8_t { Nodes, HbmBytes, FaultInjection, PowerControl, ProcessControl };
  Kind kind;
  std::uint64_t amount = 0;
};

[[nodiscard]] constexpr Need nodes(std::uint64_t count) { return {Need::Nodes, count}; }
[[nodiscard]] constexpr Need hbm_bytes(std::uint64_t bytes) { return {Need::HbmBytes, bytes}; }
inline constexpr Need fault_injection{Need::FaultInjection};
// The rig started the target, or D1_HIL_POWER names a command that switches it.
inline constexpr Need power_control{Need::PowerControl};
// The target is a process that the rig started: it may be killed, stopped and continued.
inline constexpr Need process_control{Need::ProcessControl};

}  // namespace d1::hil

// Skips the test that says so, unless the target of the rig can do all of it.
#define D1_HIL_NEEDS(rig, ...)                                                            \
  if (const std::string d1_hil_missing = (rig).missing({__VA_ARGS__}); !d1_hil_missing.empty()) \
  GTEST_SKIP() << d1_hil_missing
