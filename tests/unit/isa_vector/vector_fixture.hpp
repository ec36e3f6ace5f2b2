// SPDX-License-Identifier: Apache-2.0
// What the tests of vector instructions share: a hart with random vector registers, element access
// by register number, width and index, and all supported vector types. Independent of the
// semantics' own framework.
#pragma once

#include <algorithm>
#include <random>
#include <string_view>
#include <vector>

#include <d1/isa/semantics/vector.hpp>
#include <hart_fixture.hpp>

namespace d1::isa::test {

struct Type {
  unsigned sew;  // bits
  int lmul_log2;
  unsigned vlmax;
};

// Every supported pair of element width and group size.
inline std::vector<Type> supported_types() {
  std::vector<Type> types;
  for (unsigned sew = 8; sew <= 64; sew *= 2)
    for (int lmul = -3; lmul <= 3; ++lmul) {
      const unsigned group_bits = lmul < 0 ? kElenBits >> -lmul : kElenBits;
      if (sew > group_bits) continue;
      const unsigned bits = lmul < 0 ? kVlenBits >> -lmul : kVlenBits << lmul;
      types.push_back({sew, lmul, bits / sew});
    }
  return types;
}

using Registers = VectorRegisters;

inline std::uint64_t get(const Registers& registers, unsigned reg, unsigned index, unsigned bits) {
  const unsigned offset = reg * kVlenBytes + index * (bits / 8);
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bits / 8; ++i)
    value |= std::uint64_t{registers.bytes[(offset + i) / kVlenBytes][(offset + i) % kVlenBytes]}
             << 8 * i;
  return value;
}

inline void put(Registers& registers, unsigned reg, unsigned index, unsigned bits,
                std::uint64_t value) {
  const unsigned offset = reg * kVlenBytes + index * (bits / 8);
  for (unsigned i = 0; i < bits / 8; ++i)
    registers.bytes[(offset + i) / kVlenBytes][(offset + i) % kVlenBytes] =
        static_cast<std::uint8_t>(value >> 8 * i);
}

inline bool get_bit(const Registers& registers, unsigned reg, unsigned index) {
  return registers.bytes[reg][index / 8] >> (index % 8) & 1;
}

inline void put_bit(Registers& registers, unsigned reg, unsigned index, bool value) {
  std::uint8_t& byte = registers.bytes[reg][index / 8];
  const unsigned bit = 1U << (index % 8);
  byte = static_cast<std::uint8_t>(value ? byte | bit : byte & ~bit);
}

// A register group as the standard speaks of it. `eew` is 1 for a mask.
struct Group {
  unsigned first;
  unsigned eew;
  int emul_log2;
  unsigned registers() const { return emul_log2 > 0 ? 1U << emul_log2 : 1U; }
  unsigned last() const { return first + registers() - 1; }
  bool valid() const {
    return emul_log2 >= -3 && emul_log2 <= 3 && first % registers() == 0 && last() < 32;
  }
  bool contains(unsigned reg) const { return first <= reg && reg <= last(); }
  bool meets(const Group& other) const { return first <= other.last() && other.first <= last(); }
};

// The standard's three rules for a destination that shares registers with a source.
inline bool may_overlap(const Group& destination, const Group& source) {
  if (!destination.meets(source) || destination.eew == source.eew) return true;
  if (destination.eew < source.eew) return destination.first == source.first;
  return source.emul_log2 >= 0 && destination.last() == source.last();
}

class VectorFixture : public HartFixture {
 public:
  ~VectorFixture() override { agnostic_fill = false; }

  std::uint64_t any() { return random(); }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random() % limit); }
  bool one_in(unsigned n) { return below(n) == 0; }

  // Random bits, with runs of zeros, ones and sign bits so that corner cases meet.
  void randomize_registers() {
    for (auto& reg : hart.v->bytes) {
      const unsigned style = below(6);
      for (unsigned i = 0; i < kVlenBytes; ++i)
        reg[i] = static_cast<std::uint8_t>(style == 0                ? random() % 3 + 254
                                           : style == 1 && one_in(2) ? (i % 2 != 0 ? 0x80 : 0)
                                                                     : random());
    }
  }

  void set_type(const Type& type, bool tail_agnostic, bool mask_agnostic) {
    unsigned log2 = 3;
    while (1U << log2 < type.sew) ++log2;
    hart.vtype = {static_cast<std::uint8_t>(log2), static_cast<std::int8_t>(type.lmul_log2),
                  tail_agnostic, mask_agnostic, 0};
  }

  // A register number, mostly one that is legal for the group size, often a low one.
  unsigned any_register(int emul_log2) {
    const unsigned limit = one_in(3) ? 8 : 32;
    const unsigned reg = below(limit);
    return one_in(8) || emul_log2 <= 0 ? reg : reg & ~((1U << (emul_log2 & 3)) - 1);
  }

  unsigned any_length(unsigned vlmax) {
    switch (below(5)) {
      case 0:
        return vlmax;
      case 1:
        return below(4) == 0 ? 0 : vlmax - 1;
      default:
        return below(vlmax + 1);
    }
  }

  // The encoding with these values in the places the instruction leaves open.
  static std::uint32_t encoding(InstructionId id, unsigned rd, unsigned rs1, unsigned rs2,
                                bool unmasked, unsigned fields = 1) {
    const std::uint32_t open =
        rd << 7 | rs1 << 15 | rs2 << 20 | (unmasked ? 1U << 25 : 0U) | (fields - 1) << 29;
    return facts(id).match | (open & ~facts(id).mask);
  }

  std::uint64_t seed = 20260713;
  std::mt19937_64 random{seed};
};

}  // namespace d1::isa::test
