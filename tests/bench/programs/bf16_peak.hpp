// SPDX-License-Identifier: Apache-2.0
// The most that the host's own BF16 instruction can do: independent vdpbf16ps on registers, nothing
// else. For hosts that have AVX512-BF16.
#pragma once

#include <cstdint>

namespace d1::bench {

inline constexpr int bf16_peak_sums = 24;  // independent: enough to hide the latency
inline constexpr int bf16_peak_steps = 1'024;
inline constexpr int bf16_peak_lanes = 16;  // each adds two products a step
inline constexpr double bf16_peak_flop =
    4.0 * bf16_peak_lanes * bf16_peak_sums * bf16_peak_steps;  // of an iteration

// Adds up products of 1 and 1; returns how many there were in the last iteration.
extern "C" std::uint64_t d1_bench_bf16_peak(std::uint64_t iterations);

}  // namespace d1::bench
