// SPDX-License-Identifier: Apache-2.0
// Vector fused multiply-add of one width: +-(a * b) +- c, rounded once.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

// What vd is besides the destination; the operands are vs1 (or a scalar), vs2 and vd.
enum class Role : std::uint8_t {
  Addend,  // vfmacc: vs1 * vs2 + vd
  Factor   // vfmadd: vs1 * vd + vs2
};

// Bits as the index of LaneKernels::fused.
constexpr unsigned kProduct = 1, kAddend = 2;

template <typename F, unsigned kNegated>
void run_fused(Hart& hart, const Body& body, unsigned vd, const Operand<F>& left,
               const Operand<F>& right, const Operand<F>& addend) {
  FloatScope scope(hart, kDynamic);
  if (const LaneKernels* const lanes = lane_kernels<F>(scope);
      lanes != nullptr && lanes->fused[kNegated] != nullptr) {
    bool invalid = false;
    for_packets<F>(
        hart, body, vd,
        [&](std::uint8_t* result, unsigned packets, PacketStream l, PacketStream r,
            PacketStream a) { invalid |= lanes->fused[kNegated](result, l, r, a, packets); },
        left, right, addend);
    if (invalid) scope.raise(kNv);
    return;
  }
  for_elements<BitsOf<F>>(hart, body, vd, [&](unsigned index) {
    BitsOf<F> factor = left[index], summand = addend[index];
    if constexpr ((kNegated & kProduct) != 0) factor = negate<F>(factor);
    if constexpr ((kNegated & kAddend) != 0) summand = negate<F>(summand);
    return multiply_add<F>(scope, factor, right[index], summand);
  });
}

template <Role kRole, unsigned kNegated, From kFrom>
Outcome fused(Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  if (!float_usable(hart) || !format_ok(hart) || !group_ok(operation.rd, lmul) ||
      !group_ok(operation.rs2, lmul) || !destination_ok(operation) ||
      (kFrom == From::Vector && !group_ok(operation.rs1, lmul)))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    const FirstOperand<F, kFrom> first(hart, operation);
    const Operand<F> second(bytes_of(hart, operation.rs2));
    const Operand<F> third(bytes_of(hart, operation.rd));
    if constexpr (kRole == Role::Addend)
      run_fused<F, kNegated>(hart, body, operation.rd, first, second, third);
    else
      run_fused<F, kNegated>(hart, body, operation.rd, first, third, second);
  });
  return finish_float(hart, body, operation.rd, hart.vtype.sew_log2, lmul);
}

}  // namespace

namespace exec {

#define D1_BOTH_FORMS(name, role, negated)                            \
  Outcome name##_vv(Hart& hart, const Operation& operation) {         \
    return fused<Role::role, negated, From::Vector>(hart, operation); \
  }                                                                   \
  Outcome name##_vf(Hart& hart, const Operation& operation) {         \
    return fused<Role::role, negated, From::Scalar>(hart, operation); \
  }
D1_BOTH_FORMS(vfmacc, Addend, 0)
D1_BOTH_FORMS(vfnmacc, Addend, kProduct | kAddend)
D1_BOTH_FORMS(vfmsac, Addend, kAddend)
D1_BOTH_FORMS(vfnmsac, Addend, kProduct)
D1_BOTH_FORMS(vfmadd, Factor, 0)
D1_BOTH_FORMS(vfnmadd, Factor, kProduct | kAddend)
D1_BOTH_FORMS(vfmsub, Factor, kAddend)
D1_BOTH_FORMS(vfnmsub, Factor, kProduct)
#undef D1_BOTH_FORMS

}  // namespace exec
}  // namespace d1::isa
