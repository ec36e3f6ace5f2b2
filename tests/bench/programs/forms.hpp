// SPDX-License-Identifier: Apache-2.0
// Plain loops of many kinds, which the compiler vectorises: each needs other vector forms. One
// source for the node and for the host; static memory, no libraries.
#pragma once

#include <cstdint>

extern "C" {
// Runs a loop so many times and makes a number of what it left.
std::uint64_t d1_bench_forms(std::uint64_t form, std::uint64_t iterations);
// Null: there are no more.
const char* d1_bench_form_name(std::uint64_t form);
}
