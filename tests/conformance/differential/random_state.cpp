// SPDX-License-Identifier: Apache-2.0
#include "random_state.hpp"

#include <cstring>

#include "assembler.hpp"
#include "vector_form.hpp"

namespace d1::difftest {

namespace {

struct FloatLayout {
  unsigned exponent_bits, fraction_bits;
};
constexpr FloatLayout layout_of(unsigned width_log2) {
  return width_log2 == 4   ? FloatLayout{5, 10}
         : width_log2 == 5 ? FloatLayout{8, 23}
                           : FloatLayout{11, 52};
}

// Zeros, infinities, NaNs of both kinds, subnormals, values next to powers of two, and numbers of
// exponents that make sums and products round, overflow, underflow or cancel.
std::uint64_t special_float(Random& random, unsigned width_log2) {
  const auto [exponent_bits, fraction_bits] = layout_of(width_log2);
  const std::uint64_t one = 1, fraction_mask = (one << fraction_bits) - 1;
  const std::uint64_t exponent_mask = (one << exponent_bits) - 1, bias = exponent_mask >> 1;
  const std::uint64_t sign = random.bits() & one;
  std::uint64_t exponent = bias, fraction = 0;
  switch (random.below(12)) {
    case 0:
      exponent = 0;
      break;
    case 1:
      exponent = exponent_mask;
      break;
    case 2:  // NaN
      exponent = exponent_mask;
      fraction = random.bits() & fraction_mask;
      if (random.one_in(2)) fraction = one << (fraction_bits - 1);
      break;
    case 3:
      exponent = 0;
      fraction = random.one_in(2) ? random.bits() & fraction_mask : 1 + random.below(2);
      break;
    case 4:
      exponent = exponent_mask - 1;
      fraction = random.one_in(2) ? fraction_mask : random.bits() & fraction_mask;
      break;
    case 5:
      exponent = 1 + random.below(2);
      fraction = random.one_in(2) ? 0 : random.bits() & fraction_mask;
      break;
    case 6:  // near the edges of integer types
      exponent = (bias + random.below(66)) & exponent_mask;
      fraction = random.one_in(2) ? fraction_mask : random.bits() & fraction_mask;
      break;
    case 7:  // small integers and halves
      exponent = bias + random.below(4);
      fraction = (random.bits() << (fraction_bits - 3)) & fraction_mask;
      break;
    case 8:
      break;  // 1
    default:
      exponent = (bias - 6 + random.below(12)) & exponent_mask;
      fraction = random.bits() & fraction_mask;
  }
  return sign << (exponent_bits + fraction_bits) | exponent << fraction_bits | fraction;
}

std::uint64_t special_integer(Random& random, unsigned width_log2) {
  const unsigned bits = 1U << width_log2;
  const std::uint64_t top = std::uint64_t{1} << (bits - 1);
  switch (random.below(6)) {
    case 0:
      return 0;
    case 1:
      return ~std::uint64_t{0};
    case 2:
      return top;
    case 3:
      return top - 1;
    case 4:
      return random.below(17);
    default:
      return std::uint64_t{1} << random.below(bits);
  }
}

std::uint64_t float_register(Random& random) {
  const unsigned width_log2 = 4 + random.below(3);
  const std::uint64_t value = random.one_in(4) ? random.bits() : special_float(random, width_log2);
  if (width_log2 == 6 || random.one_in(12)) return value;  // now and then not NaN-boxed
  return value | ~std::uint64_t{0} << (1U << width_log2);
}

}  // namespace

std::uint64_t interesting_value(Random& random, unsigned width_log2) {
  const unsigned kind = random.below(8);
  std::uint64_t value = kind < 4 && width_log2 >= 4 ? special_float(random, width_log2)
                        : kind < 6                  ? special_integer(random, width_log2)
                                                    : random.bits();
  return width_log2 == 6 ? value : value & ((std::uint64_t{1} << (1U << width_log2)) - 1);
}

void fill_state(Random& random, unsigned width_log2, Block& block) {
  for (unsigned i = 1; i < 32; ++i) {
    block.x[i] = random.one_in(3)   ? random.bits()
                 : random.one_in(3) ? interesting_value(random, 6)
                                    : special_integer(random, 3 + random.below(4));
    if (random.one_in(4)) block.x[i] = -block.x[i];
  }
  for (std::uint64_t& each : block.f) each = float_register(random);
  for (auto& vector : block.v) {
    const bool preferred = width_log2 >= 3 && !random.one_in(4);
    const unsigned width = preferred ? width_log2 : 3 + random.below(4);
    const unsigned bytes = 1U << (width - 3);
    for (unsigned i = 0; i < 64; i += bytes) {
      const std::uint64_t value = interesting_value(random, width);
      std::memcpy(vector.data() + i, &value, bytes);
    }
  }
  const unsigned mask_kind = random.below(8);
  for (std::uint8_t& byte : block.v[0])  // most often the mask
    byte = mask_kind == 0 ? 0 : mask_kind == 1 ? 0xff : static_cast<std::uint8_t>(random.bits());
  for (unsigned i = 0; i < kArenaBytes; i += 8) {
    const std::uint64_t value = random.one_in(2) ? random.bits() : interesting_value(random, 6);
    std::memcpy(block.arena.data() + i, &value, 8);
  }
  block.fcsr = random.below(5) << 5 | random.below(32);
  block.vcsr = random.below(8);
  const int sew_log2 = static_cast<int>(3 + random.below(4));
  const int lmul_log2 = static_cast<int>(random.below(4));
  block.vtype = static_cast<std::uint64_t>(
      vtype_bits(static_cast<unsigned>(sew_log2), lmul_log2, random.one_in(2), random.one_in(2)));
  block.vl = random.below(vlmax(sew_log2, lmul_log2) + 1);
  block.vstart = 0;
}

}  // namespace d1::difftest
