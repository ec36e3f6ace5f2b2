// SPDX-License-Identifier: Apache-2.0
#include "float_reference.hpp"

namespace d1::isa::test {
namespace {

using U = std::uint64_t;
using C = FloatContext;

#define D1_REFERENCE(expression)                          \
  [](C& context, unsigned sew, U vs2, U vs1, U vd) -> U { \
    return in_format(sew, [&](auto format) -> U {         \
      using F = decltype(format);                         \
      const auto a = static_cast<BitsOf<F>>(vs2);         \
      const auto b = static_cast<BitsOf<F>>(vs1);         \
      const auto d = static_cast<BitsOf<F>>(vd);          \
      (void)context, (void)a, (void)b, (void)d;           \
      return static_cast<U>(expression);                  \
    });                                                   \
  }

// The same with a and b widened; `second` says how a is made of vs2.
#define D1_WIDE_REFERENCE(second, expression)                  \
  [](C& context, unsigned sew, U vs2, U vs1, U vd) -> U {      \
    const auto body = [&](auto narrow, auto wide) -> U {       \
      using N = decltype(narrow);                              \
      using F = decltype(wide);                                \
      const BitsOf<F> a = second;                              \
      const BitsOf<F> b = widened<F, N>(context, vs1);         \
      const auto d = static_cast<BitsOf<F>>(vd);               \
      (void)d;                                                 \
      return static_cast<U>(expression);                       \
    };                                                         \
    return sew == 4 ? body(F16{}, F32{}) : body(F32{}, F64{}); \
  }
#define D1_NARROW_SECOND (widened<F, N>(context, vs2))
#define D1_WIDE_SECOND static_cast<BitsOf<F>>(vs2)

#define D1_FORM(name, form, expression) \
  { #name, exec::name, Width::Sew, Width::Sew, First::form, 4, 6, D1_REFERENCE(expression) }
#define D1_BOTH(name, expression) \
  D1_FORM(name##_vv, Vector, expression), D1_FORM(name##_vf, Scalar, expression)
#define D1_WIDE_FORM(name, form, expression)                           \
  {                                                                    \
#name, exec::name, Width::TwiceSew, Width::Sew, First::form, 4, 5, \
        D1_WIDE_REFERENCE(D1_NARROW_SECOND, expression)                \
  }
#define D1_WIDE_BOTH(name, expression) \
  D1_WIDE_FORM(name##_vv, Vector, expression), D1_WIDE_FORM(name##_vf, Scalar, expression)
#define D1_WIDE_SECOND_FORM(name, form, expression)                         \
  {                                                                         \
#name, exec::name, Width::TwiceSew, Width::TwiceSew, First::form, 4, 5, \
        D1_WIDE_REFERENCE(D1_WIDE_SECOND, expression)                       \
  }
#define D1_COMPARE(name, form, expression) \
  { #name, exec::name, Width::Mask, Width::Sew, First::form, 4, 6, D1_REFERENCE(expression) }

template <typename F>
BitsOf<F> fused(C& context, BitsOf<F> a, BitsOf<F> b, BitsOf<F> c) {
  return integer_only::multiply_add<F>(context, a, b, c);
}

U brain_multiply_add(C& context, unsigned, U vs2, U vs1, U vd) {
  const auto a = widened<F32, BF16>(context, vs2);
  const auto b = widened<F32, BF16>(context, vs1);
  return fused<F32>(context, a, b, static_cast<std::uint32_t>(vd));
}

}  // namespace

std::vector<FloatCase> arithmetic_cases() {
  return {
      D1_BOTH(vfadd, integer_only::add<F>(context, a, b)),
      D1_BOTH(vfsub, integer_only::add<F>(context, a, negate<F>(b))),
      D1_FORM(vfrsub_vf, Scalar, integer_only::add<F>(context, b, negate<F>(a))),
      D1_BOTH(vfmul, integer_only::multiply<F>(context, a, b)),
      D1_BOTH(vfdiv, integer_only::divide<F>(context, a, b)),
      D1_FORM(vfrdiv_vf, Scalar, integer_only::divide<F>(context, b, a)),
      D1_FORM(vfsqrt_v, None, integer_only::square_root<F>(context, a)),
      D1_FORM(vfrec7_v, None, reciprocal_estimate<F>(context, a)),
      D1_FORM(vfrsqrt7_v, None, reciprocal_root_estimate<F>(context, a)),
      D1_FORM(vfclass_v, None, classify<F>(a)),
      D1_BOTH(vfmin, minimum<F>(context, a, b)),
      D1_BOTH(vfmax, maximum<F>(context, a, b)),
      D1_BOTH(vfsgnj, (a & F::kMagnitude) | (b & F::kSign)),
      D1_BOTH(vfsgnjn, (a & F::kMagnitude) | (~b & F::kSign)),
      D1_BOTH(vfsgnjx, a ^ (b & F::kSign)),
      D1_BOTH(vfmacc, fused<F>(context, b, a, d)),
      D1_BOTH(vfnmacc, fused<F>(context, negate<F>(b), a, negate<F>(d))),
      D1_BOTH(vfmsac, fused<F>(context, b, a, negate<F>(d))),
      D1_BOTH(vfnmsac, fused<F>(context, negate<F>(b), a, d)),
      D1_BOTH(vfmadd, fused<F>(context, b, d, a)),
      D1_BOTH(vfnmadd, fused<F>(context, negate<F>(b), d, negate<F>(a))),
      D1_BOTH(vfmsub, fused<F>(context, b, d, negate<F>(a))),
      D1_BOTH(vfnmsub, fused<F>(context, negate<F>(b), d, a)),
      D1_WIDE_BOTH(vfwadd, integer_only::add<F>(context, a, b)),
      D1_WIDE_BOTH(vfwsub, integer_only::add<F>(context, a, negate<F>(b))),
      D1_WIDE_BOTH(vfwmul, integer_only::multiply<F>(context, a, b)),
      D1_WIDE_SECOND_FORM(vfwadd_wv, Vector, integer_only::add<F>(context, a, b)),
      D1_WIDE_SECOND_FORM(vfwadd_wf, Scalar, integer_only::add<F>(context, a, b)),
      D1_WIDE_SECOND_FORM(vfwsub_wv, Vector, integer_only::add<F>(context, a, negate<F>(b))),
      D1_WIDE_SECOND_FORM(vfwsub_wf, Scalar, integer_only::add<F>(context, a, negate<F>(b))),
      D1_WIDE_BOTH(vfwmacc, fused<F>(context, b, a, d)),
      D1_WIDE_BOTH(vfwnmacc, fused<F>(context, negate<F>(b), a, negate<F>(d))),
      D1_WIDE_BOTH(vfwmsac, fused<F>(context, b, a, negate<F>(d))),
      D1_WIDE_BOTH(vfwnmsac, fused<F>(context, negate<F>(b), a, d)),
      {"vfwmaccbf16_vv", exec::vfwmaccbf16_vv, Width::TwiceSew, Width::Sew, First::Vector, 4, 4,
       brain_multiply_add, true},
      {"vfwmaccbf16_vf", exec::vfwmaccbf16_vf, Width::TwiceSew, Width::Sew, First::Scalar, 4, 4,
       brain_multiply_add, true},
      D1_COMPARE(vmfeq_vv, Vector, equal<F>(context, a, b)),
      D1_COMPARE(vmfeq_vf, Scalar, equal<F>(context, a, b)),
      D1_COMPARE(vmfne_vv, Vector, !equal<F>(context, a, b)),
      D1_COMPARE(vmfne_vf, Scalar, !equal<F>(context, a, b)),
      D1_COMPARE(vmflt_vv, Vector, less<F>(context, a, b)),
      D1_COMPARE(vmflt_vf, Scalar, less<F>(context, a, b)),
      D1_COMPARE(vmfle_vv, Vector, less_equal<F>(context, a, b)),
      D1_COMPARE(vmfle_vf, Scalar, less_equal<F>(context, a, b)),
      D1_COMPARE(vmfgt_vf, Scalar, less<F>(context, b, a)),
      D1_COMPARE(vmfge_vf, Scalar, less_equal<F>(context, b, a)),
  };
}

}  // namespace d1::isa::test
