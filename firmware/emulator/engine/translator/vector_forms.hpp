// SPDX-License-Identifier: Apache-2.0
// What the emitters of vector instructions share: forms of instructions, for the tables of
// emit_vector_*.cpp, and registers whose NaNs are not canonical yet.
#pragma once

#include <array>
#include <bit>
#include <unordered_map>

#include <xbyak/xbyak.h>

#include <d1/isa/instruction.hpp>

namespace d1::emulator {

// How a narrow operand becomes a wide one.
enum class Extend : std::uint8_t { None, Zero, Sign };

// Calls `visit` with the number of each bit that is set.
template <typename Visit>
void for_each_bit(std::uint32_t bits, const Visit& visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<unsigned>(std::countr_zero(bits)));
}

// A number in every element of a word of 64 bits.
constexpr std::uint64_t in_each_element(std::uint64_t number, unsigned width_log2) noexcept {
  for (unsigned width = 1u << width_log2; width < 64; width *= 2) number |= number << width;
  return number;
}

// `first`, `first` + 1, ... in the elements of a register.
constexpr std::array<std::uint64_t, 8> counting(unsigned first, unsigned width_log2) noexcept {
  std::array<std::uint64_t, 8> words{};
  for (unsigned element = 0; element < 512u >> width_log2; ++element) {
    const unsigned bit = element << width_log2;
    words[bit / 64] |= std::uint64_t{first + element} << bit % 64;
  }
  return words;
}

// Whether the host permutes bytes as it does wider elements.
inline bool permutes_bytes() noexcept { return __builtin_cpu_supports("avx512vbmi"); }

// A number in every element of a register.
constexpr std::array<std::uint64_t, 8> filled(std::uint64_t number, unsigned width_log2) noexcept {
  std::array<std::uint64_t, 8> words{};
  words.fill(in_each_element(number, width_log2));
  return words;
}

// Registers of a group; a fraction of one is in one.
constexpr unsigned registers_of_group(int group_log2) noexcept {
  return group_log2 > 0 ? 1u << group_log2 : 1u;
}

constexpr bool groups_overlap(unsigned a, int a_log2, unsigned b, int b_log2) noexcept {
  return a < b + registers_of_group(b_log2) && b < a + registers_of_group(a_log2);
}
// A wider destination may share its last registers with a source, a narrower one the first.
constexpr bool widening_allowed(unsigned vd, int vd_log2, unsigned vs, int vs_log2) noexcept {
  return !groups_overlap(vd, vd_log2, vs, vs_log2) ||
         (vs_log2 >= 0 && vs + registers_of_group(vs_log2) == vd + registers_of_group(vd_log2));
}
constexpr bool narrowing_allowed(unsigned vd, int vd_log2, unsigned vs, int vs_log2) noexcept {
  return vd == vs || !groups_overlap(vd, vd_log2, vs, vs_log2);
}

// Roles of the operands of a fused multiply-add, as the mnemonics have them.
struct FusedForm {
  bool addend_is_vd;  // vfmacc: vs1 * vs2 + vd; else vfmadd: vs1 * vd + vs2
  bool negate_product, negate_addend;
};

// Of vfmacc.vv and its relatives; `scalar` if it is a .vf one.
[[nodiscard]] bool fused_form(isa::InstructionId id, FusedForm& form, bool& scalar);

// Where the operand in the field rs1 comes from.
enum class Second : std::uint8_t { Vector, Scalar, Immediate, UnsignedImmediate };

template <typename Kind>
struct VectorForm {
  Kind kind;
  Second second;
};

template <typename Kind>
using VectorForms = std::unordered_map<isa::InstructionId, VectorForm<Kind>>;

// Host instructions with two sources, and with the width of elements as their index: 8, 16, 32, 64.
using HostBinary = void (Xbyak::CodeGenerator::*)(const Xbyak::Xmm&, const Xbyak::Xmm&,
                                                  const Xbyak::Operand&);
using HostBinaries = HostBinary[4];

// Registers of the guest, a bit each, that are kept and hold results not as the guest sees them.
struct PendingResults {
  std::uint32_t singles = 0, doubles = 0;  // vectors; NaNs are as the host made them
  std::uint32_t unboxed = 0;               // floats; singles without the ones above them

  friend auto operator<=>(const PendingResults&, const PendingResults&) = default;
  [[nodiscard]] bool any() const noexcept { return (singles | doubles | unboxed) != 0; }
  [[nodiscard]] bool contains(unsigned guest) const noexcept {
    return ((singles | doubles) >> guest & 1) != 0;
  }
  [[nodiscard]] std::uint32_t& of(bool single) noexcept { return single ? singles : doubles; }
  void forget(unsigned guest) noexcept {
    singles &= ~(1u << guest);
    doubles &= ~(1u << guest);
  }
};

// The last letters of the identifiers in the instruction table.
#define D1_FORM(id, kind, second) \
  {isa::InstructionId::id, {Kind::kind, Second::second}},
#define D1_FORM_VV(name, kind) D1_FORM(name##_vv, kind, Vector)
#define D1_FORM_VX(name, kind) D1_FORM(name##_vx, kind, Scalar)
#define D1_FORM_VI(name, kind) D1_FORM(name##_vi, kind, Immediate)
#define D1_FORM_VU(name, kind) D1_FORM(name##_vi, kind, UnsignedImmediate)
#define D1_FORM_VF(name, kind) D1_FORM(name##_vf, kind, Scalar)

}  // namespace d1::emulator
