// SPDX-License-Identifier: Apache-2.0
// Xd1 once more, written from the definitions in firmware/isa/xd1.md and in no way like the
// implementation: values are exact numbers, rounding compares distances, sums are integers.
#pragma once

#include <cstdint>
#include <vector>

namespace d1::isa::reference {

struct Format {
  int exponent_bits, mantissa_bits;
  bool has_sign;
  bool has_special;  // the top exponent means Inf and NaN
  bool has_denormals;
  int bias;
  int denormal_exponent;  // a denormal is 0.m x 2^(denormal_exponent - bias): 0 paper, 1 IEEE
};

Format cf143(int bias, bool ieee);
Format cf152(int bias, bool ieee);
Format shp(int bias, bool ieee);
Format uhp();
Format bf16();

// The value of a code as FP32 bits; canonical NaN.
std::uint32_t widen(const Format& format, std::uint32_t code);

// Rounds FP32 numbers to one format. Holds the values of all its magnitudes.
class Narrower {
 public:
  explicit Narrower(const Format& format);
  [[nodiscard]] std::uint32_t nearest(std::uint32_t f32) const;
  [[nodiscard]] std::uint32_t stochastic(std::uint32_t f32, std::uint32_t random) const;
  [[nodiscard]] const std::vector<double>& magnitudes() const { return magnitudes_; }

 private:
  enum class Mode { Nearest, Stochastic };
  [[nodiscard]] std::uint32_t narrow(std::uint32_t f32, Mode mode, std::uint32_t random) const;

  Format format_;
  std::vector<double> magnitudes_;  // by code, ascending; one beyond the largest finite at the end
  std::uint32_t largest_;           // code of the largest finite magnitude
};

// One step of the matrix unit: a * b + c, with the flushing and the NaN of xd1.md section 7.
std::uint32_t fma(std::uint32_t a, std::uint32_t b, std::uint32_t c);

// The random number of an element, and the seed after an instruction.
std::uint32_t random_number(std::uint64_t seed, unsigned element);
std::uint64_t next_seed(std::uint64_t seed);

}  // namespace d1::isa::reference
