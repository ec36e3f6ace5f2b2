// SPDX-License-Identifier: Apache-2.0
// Which vector instructions are legal: state, group sizes, alignment and overlap of registers.
// Pure functions; private to firmware/isa/semantics.
#pragma once

#include <d1/isa/semantics/vector.hpp>

namespace d1::isa::vector {

// Group sizes are powers of two as in VectorType::lmul_log2. Registers of an instruction that
// reads one register with two element widths are reserved by the standard; here they are read.

[[nodiscard]] inline bool usable(const Hart& hart) noexcept {
  return !vector_off(hart) && !is_ill(hart.vtype);
}

[[nodiscard]] constexpr unsigned registers_of(int emul_log2) noexcept {
  return emul_log2 > 0 ? 1U << emul_log2 : 1U;
}

// The group size is supported and the register number a multiple of it.
[[nodiscard]] constexpr bool group_ok(unsigned reg, int emul_log2) noexcept {
  return emul_log2 >= -3 && emul_log2 <= 3 && (reg & (registers_of(emul_log2) - 1)) == 0;
}

// A masked instruction must not write v0, unless its result is a mask or a reduction's scalar.
[[nodiscard]] inline bool destination_ok(const Operation& operation) noexcept {
  return operation.vm() || operation.rd != 0;
}

[[nodiscard]] constexpr bool overlaps(unsigned a, unsigned a_registers, unsigned b,
                                      unsigned b_registers) noexcept {
  return a < b + b_registers && b < a + a_registers;
}

// Destination wider than the source: they may share the destination's highest registers only.
[[nodiscard]] constexpr bool widening_overlap_ok(unsigned vd, int vd_emul, unsigned vs,
                                                 int vs_emul) noexcept {
  const unsigned vd_registers = registers_of(vd_emul), vs_registers = registers_of(vs_emul);
  return !overlaps(vd, vd_registers, vs, vs_registers) ||
         (vs_emul >= 0 && vs + vs_registers == vd + vd_registers);
}

// Destination narrower than the source (masks too: emul 0): the source's lowest registers only.
[[nodiscard]] constexpr bool narrowing_overlap_ok(unsigned vd, int vd_emul, unsigned vs,
                                                  int vs_emul) noexcept {
  return vd == vs || !overlaps(vd, registers_of(vd_emul), vs, registers_of(vs_emul));
}

// Any widths: equal ones may share what alignment lets them share.
[[nodiscard]] constexpr bool overlap_ok(unsigned vd, unsigned vd_width_log2, int vd_emul,
                                        unsigned vs, unsigned vs_width_log2, int vs_emul) noexcept {
  if (vd_width_log2 == vs_width_log2) return true;
  return vd_width_log2 > vs_width_log2 ? widening_overlap_ok(vd, vd_emul, vs, vs_emul)
                                       : narrowing_overlap_ok(vd, vd_emul, vs, vs_emul);
}

}  // namespace d1::isa::vector
