// SPDX-License-Identifier: Apache-2.0
// Addition, minimum and maximum, bitwise, shifts, merge and move.
#include <semantics/vector_arithmetic.hpp>

namespace d1::isa {
namespace vector {
namespace {

constexpr auto kAdd = []<typename T>(T a, T b) { return static_cast<T>(a + b); };
constexpr auto kSubtract = []<typename T>(T a, T b) { return static_cast<T>(a - b); };
constexpr auto kReverseSubtract = []<typename T>(T a, T b) { return static_cast<T>(b - a); };
constexpr auto kMinimum = []<typename T>(T a, T b) { return a < b ? a : b; };
constexpr auto kMaximum = []<typename T>(T a, T b) { return a < b ? b : a; };
constexpr auto kSignedMinimum = []<typename T>(T a, T b) {
  return static_cast<Signed<T>>(a) < static_cast<Signed<T>>(b) ? a : b;
};
constexpr auto kSignedMaximum = []<typename T>(T a, T b) {
  return static_cast<Signed<T>>(a) < static_cast<Signed<T>>(b) ? b : a;
};
constexpr auto kAnd = []<typename T>(T a, T b) { return static_cast<T>(a & b); };
constexpr auto kOr = []<typename T>(T a, T b) { return static_cast<T>(a | b); };
constexpr auto kXor = []<typename T>(T a, T b) { return static_cast<T>(a ^ b); };

// Only as many bits of the amount count as the element's width needs.
template <typename T>
constexpr T amount(T b) {
  return static_cast<T>(b & (8 * sizeof(T) - 1));
}
constexpr auto kShiftLeft = []<typename T>(T a, T b) { return static_cast<T>(a << amount(b)); };
constexpr auto kShiftRight = []<typename T>(T a, T b) { return static_cast<T>(a >> amount(b)); };
constexpr auto kShiftRightSigned = []<typename T>(T a, T b) {
  return static_cast<T>(static_cast<Signed<T>>(a) >> amount(b));
};
constexpr auto kSecond = []<typename T>(T, T b) { return b; };

// vd[i] = f(vs2[i], second[i], v0[i]): vm is no mask enable, the whole body is written.
template <typename F>
[[gnu::noinline]] Outcome with_carry(Hart& hart, const Operation& operation, Source source, F f) {
  if (!same_width_ok(hart, operation, source)) return illegal(hart, operation);
  const Body body = unmasked_body_of(hart);
  with_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    constexpr unsigned n = Chunk<T>::kElements;
    const SecondOperand<T> second(hart, operation, source);
    for_each_chunk<T>(body, [&](unsigned chunk) {
      const std::uint8_t* const a = bytes_of(hart, operation.rs2 + chunk);
      const std::uint8_t* const b = second.from(chunk * kVlenBytes);
      const std::uint64_t carry = mask_bits(hart, 0, chunk * n, n);
      Chunk<T> result;
      for (unsigned i = 0; i < n; ++i)
        result.element[i] = f(at<T>(a, i), at<T>(b, i), static_cast<T>(carry >> i & 1));
      write_chunk(hart, body, operation.rd, chunk, result);
    });
  });
  return finish_same_width(hart, operation, body);
}

constexpr auto kAddCarry = []<typename T>(T a, T b, T c) { return static_cast<T>(a + b + c); };
constexpr auto kSubtractBorrow = []<typename T>(T a, T b, T c) {
  return static_cast<T>(a - b - c);
};
constexpr auto kMerge = []<typename T>(T a, T b, T c) { return c != 0 ? b : a; };

}  // namespace
}  // namespace vector

namespace exec {

D1_VECTOR_VXI(vadd_v, binary, vector::kAdd)
D1_VECTOR_VX(vsub_v, binary, vector::kSubtract)
D1_VECTOR(vrsub_vx, binary, Scalar, vector::kReverseSubtract)
D1_VECTOR(vrsub_vi, binary, Immediate, vector::kReverseSubtract)
D1_VECTOR_VX(vminu_v, binary, vector::kMinimum)
D1_VECTOR_VX(vmin_v, binary, vector::kSignedMinimum)
D1_VECTOR_VX(vmaxu_v, binary, vector::kMaximum)
D1_VECTOR_VX(vmax_v, binary, vector::kSignedMaximum)
D1_VECTOR_VXI(vand_v, binary, vector::kAnd)
D1_VECTOR_VXI(vor_v, binary, vector::kOr)
D1_VECTOR_VXI(vxor_v, binary, vector::kXor)
D1_VECTOR_VXU(vsll_v, binary, vector::kShiftLeft)
D1_VECTOR_VXU(vsrl_v, binary, vector::kShiftRight)
D1_VECTOR_VXU(vsra_v, binary, vector::kShiftRightSigned)
D1_VECTOR_VXI(vmv_v_, binary, vector::kSecond)

D1_VECTOR(vadc_vvm, with_carry, Vector, vector::kAddCarry)
D1_VECTOR(vadc_vxm, with_carry, Scalar, vector::kAddCarry)
D1_VECTOR(vadc_vim, with_carry, Immediate, vector::kAddCarry)
D1_VECTOR(vsbc_vvm, with_carry, Vector, vector::kSubtractBorrow)
D1_VECTOR(vsbc_vxm, with_carry, Scalar, vector::kSubtractBorrow)
D1_VECTOR(vmerge_vvm, with_carry, Vector, vector::kMerge)
D1_VECTOR(vmerge_vxm, with_carry, Scalar, vector::kMerge)
D1_VECTOR(vmerge_vim, with_carry, Immediate, vector::kMerge)

}  // namespace exec
}  // namespace d1::isa
