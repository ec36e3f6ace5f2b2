// SPDX-License-Identifier: Apache-2.0
// What a program of the benchmarks is: one source, compiled for the node, for the host and for
// qemu-user. It works in static memory, has no libraries, and gives the same result on all three.
//
// A program defines prepare(), which sets its inputs; iterate(), what is measured; and result(),
// which makes a number of what an iteration left; and names them at its end by D1_BENCH_PROGRAM.
// The build defines D1_BENCH_NAME, the function by which it is called: so many iterations.
#pragma once

#include "values.hpp"

extern "C" std::uint64_t D1_BENCH_NAME(std::uint64_t iterations);

#define D1_BENCH_PROGRAM(prepare, iterate, result)                   \
  extern "C" std::uint64_t D1_BENCH_NAME(std::uint64_t iterations) { \
    static bool prepared = false;                                    \
    if (!prepared) prepare();                                        \
    prepared = true;                                                 \
    for (std::uint64_t i = 0; i < iterations; ++i) iterate();        \
    return result();                                                 \
  }

namespace d1::bench {

// The compiler must assume that `memory` is read and written here: no iteration is left out.
inline void touch(void* memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

}  // namespace d1::bench
