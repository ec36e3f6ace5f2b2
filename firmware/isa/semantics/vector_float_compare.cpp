// SPDX-License-Identifier: Apache-2.0
// Vector floating-point compares: the result is a mask.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

// vd.mask[i] = function(F{}, context, vs2[i], vs1[i] or scalar).
template <From kFrom, typename Function>
Outcome compare(Hart& hart, const Operation& operation, Function function) {
  const int lmul = hart.vtype.lmul_log2;
  if (!float_usable(hart) || !format_ok(hart) || !group_ok(operation.rs2, lmul) ||
      !narrowing_overlap_ok(operation.rd, 0, operation.rs2, lmul) ||
      (kFrom == From::Vector && (!group_ok(operation.rs1, lmul) ||
                                 !narrowing_overlap_ok(operation.rd, 0, operation.rs1, lmul))))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  MaskBits result;
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    FloatScope scope(hart, kDynamic);
    const FirstOperand<F, kFrom> first(hart, operation);
    for_each_active(hart, body, [&](unsigned index) {
      const auto vs2 = element<BitsOf<F>>(hart, operation.rs2, index);
      const bool bit = function(format, scope, vs2, first[index]);
      result.word[index / 64] |= std::uint64_t{bit} << index % 64;
    });
  });
  mark_float_dirty(hart);
  return write_mask(hart, body, operation.rd, result);
}

constexpr auto kEqual = [](auto format, FloatContext& context, auto a, auto b) {
  return equal<decltype(format)>(context, a, b);
};
constexpr auto kUnequal = [](auto format, FloatContext& context, auto a, auto b) {
  return !equal<decltype(format)>(context, a, b);
};
constexpr auto kLess = [](auto format, FloatContext& context, auto a, auto b) {
  return less<decltype(format)>(context, a, b);
};
constexpr auto kLessEqual = [](auto format, FloatContext& context, auto a, auto b) {
  return less_equal<decltype(format)>(context, a, b);
};
constexpr auto kGreater = [](auto format, FloatContext& context, auto a, auto b) {
  return less<decltype(format)>(context, b, a);
};
constexpr auto kGreaterEqual = [](auto format, FloatContext& context, auto a, auto b) {
  return less_equal<decltype(format)>(context, b, a);
};

}  // namespace

namespace exec {

#define D1_FORM(name, from, function)                      \
  Outcome name(Hart& hart, const Operation& operation) {   \
    return compare<From::from>(hart, operation, function); \
  }
D1_FORM(vmfeq_vv, Vector, kEqual)
D1_FORM(vmfeq_vf, Scalar, kEqual)
D1_FORM(vmfne_vv, Vector, kUnequal)
D1_FORM(vmfne_vf, Scalar, kUnequal)
D1_FORM(vmflt_vv, Vector, kLess)
D1_FORM(vmflt_vf, Scalar, kLess)
D1_FORM(vmfle_vv, Vector, kLessEqual)
D1_FORM(vmfle_vf, Scalar, kLessEqual)
D1_FORM(vmfgt_vf, Scalar, kGreater)
D1_FORM(vmfge_vf, Scalar, kGreaterEqual)
#undef D1_FORM

}  // namespace exec
}  // namespace d1::isa
