// SPDX-License-Identifier: Apache-2.0
// What the V specification says an instruction's register groups are under a vtype, and which
// registers it may take: written from the specification for the tests alone, so that it checks the
// core's own rules. Pure functions.
#pragma once

#include <optional>

#include "case.hpp"

namespace d1::difftest {

struct RegisterGroup {
  bool used = false;
  bool is_mask = false;  // EEW 1
  int eew_log2 = 0;
  int emul_log2 = 0;
  unsigned registers = 1;  // all fields together
  unsigned align = 1;
};

struct VectorForm {
  RegisterGroup vd;  // or vs3 of a store
  RegisterGroup vs1, vs2;
  bool is_load = false, is_store = false;
  bool reads_vd = false;  // multiply-add
  bool no_overlap1 = false, no_overlap2 = false;
  bool any_overlap = false;   // reductions
  bool may_write_v0 = false;  // though masked
  bool needs_vstart_0 = false;
  bool always_masked = false;  // v0 is an operand
  bool can_be_masked = false;
  bool ignores_vtype = false;  // whole registers
  bool is_float = false;
  bool is_fault_only_first = false;
  bool is_slide_up = false;     // vslideup alone
  bool is_scalar_move = false;  // element 0 from or to a scalar register

  [[nodiscard]] bool is_memory() const noexcept { return is_load || is_store; }
  RoundingKind rounding = RoundingKind::None;
};

[[nodiscard]] bool is_vector(InstructionId id);
[[nodiscard]] bool is_memory(InstructionId id);  // of vectors
[[nodiscard]] bool has_fields(InstructionId id);
[[nodiscard]] bool has_operand(InstructionId id, isa::Operand operand);

// Whether a vtype exists in an implementation with ELEN 64.
[[nodiscard]] constexpr bool vtype_exists(int sew_log2, int lmul_log2) noexcept {
  return sew_log2 <= 6 + (lmul_log2 < 0 ? lmul_log2 : 0);
}
[[nodiscard]] constexpr unsigned vlmax(int sew_log2, int lmul_log2) noexcept {
  return 1U << (9 - sew_log2 + lmul_log2);  // VLEN 512
}

// Nothing where the instruction is illegal or reserved under that vtype.
[[nodiscard]] std::optional<VectorForm> form_of(InstructionId id, unsigned fields, int sew_log2,
                                                int lmul_log2);

struct RegisterChoice {
  unsigned vd = 0, vs1 = 0, vs2 = 0;
};
[[nodiscard]] bool registers_legal(const VectorForm& form, bool masked,
                                   const RegisterChoice& registers);

}  // namespace d1::difftest
