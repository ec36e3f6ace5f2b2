// SPDX-License-Identifier: Apache-2.0
// Instructions whose result is a mask: integer compares, carry-out and borrow-out.
#include <semantics/vector_arithmetic.hpp>

namespace d1::isa {
namespace vector {
namespace {

constexpr auto kEqual = []<typename T>(T a, T b) { return a == b; };
constexpr auto kNotEqual = []<typename T>(T a, T b) { return a != b; };
constexpr auto kLess = []<typename T>(T a, T b) { return a < b; };
constexpr auto kLessOrEqual = []<typename T>(T a, T b) { return a <= b; };
constexpr auto kGreater = []<typename T>(T a, T b) { return a > b; };
constexpr auto kSignedLess = []<typename T>(T a, T b) {
  return static_cast<Signed<T>>(a) < static_cast<Signed<T>>(b);
};
constexpr auto kSignedLessOrEqual = []<typename T>(T a, T b) {
  return static_cast<Signed<T>>(a) <= static_cast<Signed<T>>(b);
};
constexpr auto kSignedGreater = []<typename T>(T a, T b) {
  return static_cast<Signed<T>>(a) > static_cast<Signed<T>>(b);
};

// The carry out of a + b + c, the borrow out of a - b - c.
constexpr auto kCarryOut = []<typename T>(T a, T b, T c) {
  const T sum = static_cast<T>(a + b + c);
  return sum < a || (c != 0 && sum == a);
};
constexpr auto kBorrowOut = []<typename T>(T a, T b, T c) { return a < b || (c != 0 && a == b); };

// vm selects the carry input here; no element is masked off.
template <typename F>
Outcome carry_out(Hart& hart, const Operation& operation, Source source, F f) {
  if (!mask_result_ok(hart, operation, source)) return illegal(hart, operation);
  const Carry carry = operation.vm() ? Carry::None : Carry::FromV0;
  return make_mask(hart, operation, source, unmasked_body_of(hart), carry, f);
}

}  // namespace
}  // namespace vector

namespace exec {

D1_VECTOR_VXI(vmseq_v, compare, vector::kEqual)
D1_VECTOR_VXI(vmsne_v, compare, vector::kNotEqual)
D1_VECTOR_VX(vmsltu_v, compare, vector::kLess)
D1_VECTOR_VX(vmslt_v, compare, vector::kSignedLess)
D1_VECTOR_VXI(vmsleu_v, compare, vector::kLessOrEqual)
D1_VECTOR_VXI(vmsle_v, compare, vector::kSignedLessOrEqual)
D1_VECTOR(vmsgtu_vx, compare, Scalar, vector::kGreater)
D1_VECTOR(vmsgtu_vi, compare, Immediate, vector::kGreater)
D1_VECTOR(vmsgt_vx, compare, Scalar, vector::kSignedGreater)
D1_VECTOR(vmsgt_vi, compare, Immediate, vector::kSignedGreater)

D1_VECTOR_VXI(vmadc_v, carry_out, vector::kCarryOut)
D1_VECTOR(vmadc_vvm, carry_out, Vector, vector::kCarryOut)
D1_VECTOR(vmadc_vxm, carry_out, Scalar, vector::kCarryOut)
D1_VECTOR(vmadc_vim, carry_out, Immediate, vector::kCarryOut)
D1_VECTOR_VX(vmsbc_v, carry_out, vector::kBorrowOut)
D1_VECTOR(vmsbc_vvm, carry_out, Vector, vector::kBorrowOut)
D1_VECTOR(vmsbc_vxm, carry_out, Scalar, vector::kBorrowOut)

}  // namespace exec
}  // namespace d1::isa
