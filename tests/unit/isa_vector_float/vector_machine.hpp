// SPDX-License-Identifier: Apache-2.0
// A hart with vector registers and nothing around it, random contents included: what tests of
// vector semantics that touch no memory need. One thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <d1/isa/float_format.hpp>
#include <d1/isa/semantics/vector.hpp>

namespace d1::isa::test {

using Semantics = Outcome (*)(Hart&, const Operation&);

enum class Masked : bool { No, Yes };

// Register numbers of an instruction; v0 is left to the mask. Groups of 8 fit everywhere.
struct Numbers {
  unsigned rd = 8, rs1 = 24, rs2 = 16;
};

class VectorMachine {
 public:
  explicit VectorMachine(std::uint64_t seed) : random(seed) {
    hart.v = &registers;
    hart.mstatus = kMstatusFs | kMstatusVs;
    for (auto& value : hart.x) value = random();
    hart.x[0] = 0;
    for (auto& value : hart.f) value = random();
    fill_bits();
  }
  VectorMachine(const VectorMachine&) = delete;
  VectorMachine& operator=(const VectorMachine&) = delete;

  void set_type(unsigned sew_log2, int lmul_log2, std::uint64_t vl) {
    hart.vtype = {static_cast<std::uint8_t>(sew_log2), static_cast<std::int8_t>(lmul_log2), 0, 0,
                  0};
    hart.vl = vl;
    hart.vstart = 0;
  }
  // A length from 0 to VLMAX, the extremes often.
  std::uint64_t random_length() {
    const unsigned most = vlmax(hart.vtype);
    const std::uint64_t choice = random() % 8;
    return choice < 3 ? most : choice == 3 ? 0 : choice == 4 ? 1 : random() % (most + 1);
  }

  Outcome run(Semantics semantics, const Numbers& numbers, Masked masked) {
    Operation operation;
    operation.pc = 0x1000;
    operation.full = (masked == Masked::No ? 1U << 25 : 0U) | 0x57;
    operation.rd = static_cast<std::uint8_t>(numbers.rd);
    operation.rs1 = static_cast<std::uint8_t>(numbers.rs1);
    operation.rs2 = static_cast<std::uint8_t>(numbers.rs2);
    return semantics(hart, operation);
  }

  void fill_bits() {
    for (auto& reg : registers.bytes)
      for (auto& byte : reg) byte = static_cast<std::uint8_t>(random());
  }
  // Every register full of floating-point values of that width; v0 of random bits.
  void fill_floats(unsigned width_log2);
  std::uint64_t random_float(unsigned width_log2);

  Hart hart{};
  VectorRegisters registers{};
  std::mt19937_64 random;
  bool tame = false;  // random_float: normal numbers only, so that whole registers hold no other
};

// The whole register file as one array: groups run over its rows.
[[nodiscard]] inline const std::uint8_t* bytes_at(const VectorRegisters& registers) {
  return reinterpret_cast<const std::uint8_t*>(&registers);
}
[[nodiscard]] inline std::uint8_t* bytes_at(VectorRegisters& registers) {
  return reinterpret_cast<std::uint8_t*>(&registers);
}

// Elements in a copy of the registers, by width.
[[nodiscard]] inline std::uint64_t get(const VectorRegisters& registers, unsigned reg,
                                       unsigned width_log2, std::size_t index) {
  const std::size_t bytes = std::size_t{1} << (width_log2 - 3);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes_at(registers) + reg * kVlenBytes + index * bytes, bytes);
  return value;
}
inline void put(VectorRegisters& registers, unsigned reg, unsigned width_log2, std::size_t index,
                std::uint64_t value) {
  const std::size_t bytes = std::size_t{1} << (width_log2 - 3);
  std::memcpy(bytes_at(registers) + reg * kVlenBytes + index * bytes, &value, bytes);
}
[[nodiscard]] inline bool get_bit(const VectorRegisters& registers, unsigned reg, unsigned index) {
  return registers.bytes[reg][index / 8] >> index % 8 & 1;
}
inline void put_bit(VectorRegisters& registers, unsigned reg, unsigned index, bool value) {
  auto& byte = registers.bytes[reg][index / 8];
  byte = static_cast<std::uint8_t>((byte & ~(1U << index % 8)) | unsigned{value} << index % 8);
}

// Fails with the first register and byte that differ.
inline testing::AssertionResult same(const VectorRegisters& got, const VectorRegisters& wanted) {
  for (unsigned reg = 0; reg < 32; ++reg)
    for (unsigned byte = 0; byte < kVlenBytes; ++byte)
      if (got.bytes[reg][byte] != wanted.bytes[reg][byte]) {
        const unsigned word = byte / 8;
        return testing::AssertionFailure()
               << "v" << reg << " byte " << byte << ": 64-bit element " << word << " is 0x"
               << std::hex << get(got, reg, 6, word) << ", wanted 0x" << get(wanted, reg, 6, word);
      }
  return testing::AssertionSuccess();
}

// Calls f(F{}) with the format of that width (16 to 64 bits).
template <typename Function>
auto in_format(unsigned width_log2, Function&& f) {
  if (width_log2 == 4) return f(F16{});
  if (width_log2 == 5) return f(F32{});
  return f(F64{});
}

inline std::uint64_t VectorMachine::random_float(unsigned width_log2) {
  return in_format(width_log2, [&](auto format) -> std::uint64_t {
    using F = decltype(format);
    using Bits = typename F::Bits;
    const auto bits = static_cast<Bits>(random());
    const Bits one = static_cast<Bits>(Bits{F::kBias} << F::kFractionBits);
    const Bits specials[] = {0,
                             one,
                             static_cast<Bits>(one | F::kQuiet),
                             F::kInfinity,
                             F::kLargest,
                             F::kSmallestNormal,
                             static_cast<Bits>(F::kSmallestNormal - 1),
                             1,
                             static_cast<Bits>(F::kInfinity | 1),
                             static_cast<Bits>(F::kNan | 5)};
    const auto sign = static_cast<Bits>(bits & F::kSign);
    switch (tame ? 1 + random() % 2 : random() % 4) {
      case 0:
        return static_cast<Bits>(specials[random() % std::size(specials)] | sign);
      case 1:  // close to 1, so that sums cancel and products stay in range
        return static_cast<Bits>(
            sign | (one + (bits & F::kFraction) - (random() % 2 != 0 ? F::kSmallestNormal : 0)));
      case 2:  // few significant bits: exact results
        return static_cast<Bits>(sign |
                                 (one + (bits & F::kFraction & (F::kQuiet | F::kQuiet >> 1)) +
                                  random() % 4 * F::kSmallestNormal));
      default:
        return bits;
    }
  });
}

inline void VectorMachine::fill_floats(unsigned width_log2) {
  fill_bits();
  const unsigned elements = kVlenBits >> width_log2;
  for (unsigned reg = 1; reg < 32; ++reg)
    for (unsigned i = 0; i < elements; ++i)
      put(registers, reg, width_log2, i, random_float(width_log2));
}

}  // namespace d1::isa::test
