// SPDX-License-Identifier: Apache-2.0
// The sieve of Eratosthenes over the numbers below a million, a byte each.
#include "program.hpp"

namespace {

constexpr std::size_t kLimit = 1'000'000;

alignas(64) std::uint8_t composite[kLimit];
std::uint64_t primes;

void prepare() {}

void iterate() {
  auto* words = reinterpret_cast<std::uint64_t*>(composite);
  for (std::size_t i = 0; i < kLimit / sizeof *words; ++i) words[i] = 0;
  for (std::size_t i = 2; i * i < kLimit; ++i) {
    if (composite[i]) continue;
    for (std::size_t multiple = i * i; multiple < kLimit; multiple += i) composite[multiple] = 1;
  }
  std::uint64_t found = 0;
  for (std::size_t i = 2; i < kLimit; ++i) {
    if (!composite[i]) ++found;
  }
  primes = found;
  d1::bench::touch(composite);
}

std::uint64_t result() { return primes; }

}  // namespace

D1_BENCH_PROGRAM(prepare, iterate, result)
