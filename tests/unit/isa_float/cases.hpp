// SPDX-License-Identifier: Apache-2.0
// Operands for tests of floating point: values at the edges of a format, and random ones that meet
// those edges often. Generators are the caller's; nothing here is shared.
#pragma once

#include <random>
#include <string>
#include <vector>

#include <d1/isa/float_environment.hpp>
#include <d1/isa/float_format.hpp>

#include "reference.hpp"

namespace d1::isa::float_test {

inline constexpr std::uint64_t kSeed = 0x5eed'f10a'7000'0001;

template <typename F>
[[nodiscard]] constexpr reference::Format format_of() {
  return {static_cast<int>(F::kExponentBits), static_cast<int>(F::kFractionBits)};
}

template <typename F>
[[nodiscard]] std::vector<BitsOf<F>> edge_values() {
  const auto one = static_cast<std::uint64_t>(F::kBias) << F::kFractionBits;
  const std::uint64_t unit = F::kSmallestNormal;
  std::vector<BitsOf<F>> values;
  for (const std::uint64_t bits : {std::uint64_t{0},
                                   std::uint64_t{1},
                                   std::uint64_t{2},
                                   unit / 2,
                                   unit - 1,
                                   unit,
                                   unit + 1,
                                   unit * 2,
                                   one / 2,
                                   one - unit,
                                   one - 1,
                                   one,
                                   one + 1,
                                   one + unit / 2,
                                   one + unit,
                                   one + F::kFractionBits * unit,
                                   one + F::kPrecision * unit,
                                   one - F::kPrecision * unit,
                                   F::kLargest - unit,
                                   std::uint64_t{F::kLargest},
                                   std::uint64_t{F::kInfinity},
                                   F::kInfinity + std::uint64_t{1},
                                   std::uint64_t{F::kNan},
                                   std::uint64_t{F::kMagnitude}}) {
    values.push_back(static_cast<BitsOf<F>>(bits));
    values.push_back(negate<F>(static_cast<BitsOf<F>>(bits)));
  }
  return values;
}

// A quarter edge values, a quarter near one (so that sums cancel and round), the rest any bits.
template <typename F>
[[nodiscard]] BitsOf<F> random_value(std::mt19937_64& generator) {
  static const std::vector<BitsOf<F>> edges = edge_values<F>();
  const std::uint64_t choice = generator() % 4;
  if (choice == 0) return edges[generator() % edges.size()];
  const auto bits = static_cast<BitsOf<F>>(generator());
  if (choice != 1) return bits;
  const std::uint64_t span = 2 * F::kPrecision + 2;
  const std::uint64_t field = static_cast<std::uint64_t>(F::kBias) - span / 2 + generator() % span;
  const std::uint64_t clamped = F::kExponentBits == 5 ? 1 + generator() % 30 : field;
  auto fraction = static_cast<std::uint64_t>(bits & F::kFraction);
  if (generator() % 2 == 0) fraction &= generator() & generator() & generator();  // few bits: ties
  return static_cast<BitsOf<F>>((bits & F::kSign) | clamped << F::kFractionBits | fraction);
}

inline constexpr RoundingMode kModes[] = {RoundingMode::Rne, RoundingMode::Rtz, RoundingMode::Rdn,
                                          RoundingMode::Rup, RoundingMode::Rmm};

[[nodiscard]] inline reference::Mode mode_of(RoundingMode mode) {
  return static_cast<reference::Mode>(mode);
}

// Runs `body(context)` as an instruction of a hart of its own and gives the flags it leaves.
template <typename Body>
[[nodiscard]] reference::Result run(RoundingMode mode, Body body) {
  Hart hart{};
  std::uint64_t bits = 0;
  {
    FloatScope scope(hart, static_cast<unsigned>(mode));
    bits = body(static_cast<FloatContext&>(scope));
  }
  return {bits, hart.fflags};
}

// The same for the code that uses no host floating point.
template <typename Body>
[[nodiscard]] reference::Result run_in_integers(RoundingMode mode, Body body) {
  FloatContext context{mode, 0};
  const std::uint64_t bits = body(context);
  return {bits, context.flags};
}

[[nodiscard]] inline std::string describe(RoundingMode mode, std::uint64_t a, std::uint64_t b = 0,
                                          std::uint64_t c = 0) {
  char text[128];
  std::snprintf(text, sizeof text, "rm %u a 0x%llx b 0x%llx c 0x%llx", static_cast<unsigned>(mode),
                static_cast<unsigned long long>(a), static_cast<unsigned long long>(b),
                static_cast<unsigned long long>(c));
  return text;
}

}  // namespace d1::isa::float_test
