// SPDX-License-Identifier: Apache-2.0
// Semantics of the V extension (VLEN 512, ELEN 64): one function for each line of the vector
// tables, defined by topic in firmware/isa/semantics. A function touches its hart, its vector
// registers and its memory only; on Outcome::Trap nothing has changed, but that memory accesses
// leave the elements before vstart done. vstart is 0 after every instruction that completes.
#pragma once

#include <d1/isa/semantics/common.hpp>

namespace d1::isa {

// The checking mode of DESIGN section 3: agnostic elements are filled with ones instead of left
// undisturbed. Set once, before the first hart runs; never while one does.
extern bool agnostic_fill;

inline constexpr std::uint64_t kVtypeIll = std::uint64_t{1} << 63;

// The value of the vtype CSR, and what writing one means (an unsupported one is `ill`).
[[nodiscard]] std::uint64_t encode_vtype(const VectorType& type) noexcept;
[[nodiscard]] VectorType decode_vtype(std::uint64_t value) noexcept;

// Whether the type is unusable. All zero bytes, the state of a hart that never ran vset*, are.
[[nodiscard]] inline bool is_ill(const VectorType& type) noexcept {
  return type.ill != 0 || type.sew_log2 == 0;
}

// Elements a register group holds; 0 when the type is ill.
[[nodiscard]] inline unsigned vlmax(const VectorType& type) noexcept {
  if (is_ill(type)) return 0;
  const int log2 = 9 - type.sew_log2 + type.lmul_log2;  // 9: kVlenBits = 1 << 9
  return 1U << log2;
}
static_assert(kVlenBits == 1U << 9);

namespace exec {

#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  Outcome id(Hart& hart, const Operation& operation);
#include <d1/isa/table/vector_float.def>
#include <d1/isa/table/vector_integer.def>
#include <d1/isa/table/vector_mask.def>
#include <d1/isa/table/vector_memory.def>
#undef D1_INSTRUCTION

}  // namespace exec
}  // namespace d1::isa
