// SPDX-License-Identifier: Apache-2.0
// Vector floating point that widens: operands of SEW are made twice as wide, exactly, and the
// operation rounds once in the wide format. Zvfbfwma is the same from BF16 to F32.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

enum class Second : std::uint8_t { Narrow, Wide };  // vs2: of SEW, or of twice SEW already

[[nodiscard]] bool widening_ok(const Hart& hart, const Operation& operation, From from,
                               Second second) {
  const int narrow = hart.vtype.lmul_log2, wide = narrow + 1;
  const unsigned vd = operation.rd;
  if (!float_usable(hart) || !narrow_format_ok(hart) || !group_ok(vd, wide) ||
      !destination_ok(operation))
    return false;
  if (from == From::Vector &&
      (!group_ok(operation.rs1, narrow) || !widening_overlap_ok(vd, wide, operation.rs1, narrow)))
    return false;
  if (second == Second::Wide) return group_ok(operation.rs2, wide);
  return group_ok(operation.rs2, narrow) && widening_overlap_ok(vd, wide, operation.rs2, narrow);
}

// vd[i] = function(W{}, context, vs2[i], vs1[i] or scalar, vd[i]), all as wide values. In ascending
// order narrow sources in the upper half of vd are read before they are overwritten.
template <typename F, From kFrom, Second kSecond, typename Function>
Outcome widen(Hart& hart, const Operation& operation, Function function) {
  using W = Wider<F>;
  using Source = std::conditional_t<kSecond == Second::Wide, W, F>;
  const Body body = body_of(hart, operation);
  {
    FloatScope scope(hart, kDynamic);
    const FirstOperand<F, kFrom> first(hart, operation);
    for_elements<BitsOf<W>>(hart, body, operation.rd, [&](unsigned index) {
      const auto vs2 = element<BitsOf<Source>>(hart, operation.rs2, index);
      const BitsOf<W> one = convert<W, F>(scope, first[index]);
      BitsOf<W> two;
      if constexpr (kSecond == Second::Wide)
        two = vs2;
      else
        two = convert<W, F>(scope, vs2);
      return function(W{}, scope, two, one, element<BitsOf<W>>(hart, operation.rd, index));
    });
  }
  return finish_float(hart, body, operation.rd, kFormatLog2<W>, hart.vtype.lmul_log2 + 1);
}

template <From kFrom, Second kSecond, typename Function>
Outcome widening(Hart& hart, const Operation& operation, Function function) {
  if (!widening_ok(hart, operation, kFrom, kSecond)) return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    return widen<decltype(format), kFrom, kSecond>(hart, operation, function);
  });
}

constexpr auto kAdd = [](auto format, FloatContext& context, auto a, auto b, auto) {
  return add<decltype(format)>(context, a, b);
};
constexpr auto kSubtract = [](auto format, FloatContext& context, auto a, auto b, auto) {
  return subtract<decltype(format)>(context, a, b);
};
constexpr auto kMultiply = [](auto format, FloatContext& context, auto a, auto b, auto) {
  return multiply<decltype(format)>(context, a, b);
};
constexpr auto kMultiplyAdd = [](auto format, FloatContext& context, auto a, auto b, auto c) {
  return multiply_add<decltype(format)>(context, a, b, c);
};
constexpr auto kMultiplySubtract = [](auto format, FloatContext& context, auto a, auto b, auto c) {
  return multiply_subtract<decltype(format)>(context, a, b, c);
};
constexpr auto kNegatedAdd = [](auto format, FloatContext& context, auto a, auto b, auto c) {
  return negated_multiply_add<decltype(format)>(context, a, b, c);
};
constexpr auto kNegatedSubtract = [](auto format, FloatContext& context, auto a, auto b, auto c) {
  return negated_multiply_subtract<decltype(format)>(context, a, b, c);
};

template <From kFrom>
Outcome brain_multiply_add(Hart& hart, const Operation& operation) {
  if (!widening_ok(hart, operation, kFrom, Second::Narrow) ||
      hart.vtype.sew_log2 != kFormatLog2<BF16>)
    return illegal(hart, operation);
  return widen<BF16, kFrom, Second::Narrow>(hart, operation, kMultiplyAdd);
}

}  // namespace

namespace exec {

#define D1_FORM(name, from, second, function)                               \
  Outcome name(Hart& hart, const Operation& operation) {                    \
    return widening<From::from, Second::second>(hart, operation, function); \
  }
#define D1_BOTH_FORMS(name, function)          \
  D1_FORM(name##_vv, Vector, Narrow, function) \
  D1_FORM(name##_vf, Scalar, Narrow, function)
D1_BOTH_FORMS(vfwadd, kAdd)
D1_BOTH_FORMS(vfwsub, kSubtract)
D1_BOTH_FORMS(vfwmul, kMultiply)
D1_BOTH_FORMS(vfwmacc, kMultiplyAdd)
D1_BOTH_FORMS(vfwmsac, kMultiplySubtract)
D1_BOTH_FORMS(vfwnmacc, kNegatedAdd)
D1_BOTH_FORMS(vfwnmsac, kNegatedSubtract)
D1_FORM(vfwadd_wv, Vector, Wide, kAdd)
D1_FORM(vfwadd_wf, Scalar, Wide, kAdd)
D1_FORM(vfwsub_wv, Vector, Wide, kSubtract)
D1_FORM(vfwsub_wf, Scalar, Wide, kSubtract)
#undef D1_BOTH_FORMS
#undef D1_FORM

Outcome vfwmaccbf16_vv(Hart& hart, const Operation& operation) {
  return brain_multiply_add<From::Vector>(hart, operation);
}
Outcome vfwmaccbf16_vf(Hart& hart, const Operation& operation) {
  return brain_multiply_add<From::Scalar>(hart, operation);
}

}  // namespace exec
}  // namespace d1::isa
