// SPDX-License-Identifier: Apache-2.0
// Random numbers and initial states: special values weighted up. Deterministic by seed on every
// host (no standard distributions, whose results differ between libraries).
#pragma once

#include <random>

#include "layout.hpp"

namespace d1::difftest {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  unsigned below(unsigned limit) { return static_cast<unsigned>(engine_() % limit); }
  bool one_in(unsigned n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// A value of 1 << width_log2 bits: floating-point specials, integer extremes, small numbers, noise.
[[nodiscard]] std::uint64_t interesting_value(Random& random, unsigned width_log2);

// Registers and memory; elements mostly of one width (0: none preferred), which is the one that the
// case's instructions use.
void fill_state(Random& random, unsigned width_log2, Block& block);

}  // namespace d1::difftest
