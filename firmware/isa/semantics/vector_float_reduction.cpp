// SPDX-License-Identifier: Apache-2.0
// Vector floating-point reductions: vd[0] = vs1[0] combined with all active elements of vs2, one
// after the other in ascending order (also where the standard leaves the order open). With no
// active element vs1[0] is copied as it is.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

[[nodiscard]] bool reducible(const Hart& hart, const Operation& operation) {
  return float_usable(hart) && hart.vstart == 0 && group_ok(operation.rs2, hart.vtype.lmul_log2);
}

// The sum has format W, the elements F.
template <typename W, typename F, typename Function>
Outcome reduce(Hart& hart, const Operation& operation, Function function) {
  const Body body = body_of(hart, operation);
  if (body.empty()) return finish(hart);
  {
    FloatScope scope(hart, kDynamic);
    BitsOf<W> sum = element<BitsOf<W>>(hart, operation.rs1, 0);
    for_each_active(hart, body, [&](unsigned index) {
      const auto next = element<BitsOf<F>>(hart, operation.rs2, index);
      if constexpr (std::is_same_v<W, F>)
        sum = function(W{}, scope, sum, next);
      else
        sum = function(W{}, scope, sum, convert<W, F>(scope, next));
    });
    set_element(hart, operation.rd, 0, sum);
  }
  return finish_float(hart, Body{0, 1, false}, operation.rd, kFormatLog2<W>, 0);
}

template <typename Function>
Outcome reduction(Hart& hart, const Operation& operation, Function function) {
  if (!reducible(hart, operation) || !format_ok(hart)) return illegal(hart, operation);
  return with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return reduce<F, F>(hart, operation, function);
  });
}

constexpr auto kSum = [](auto format, FloatContext& context, auto a, auto b) {
  return add<decltype(format)>(context, a, b);
};

Outcome widening_sum(Hart& hart, const Operation& operation) {
  if (!reducible(hart, operation) || !narrow_format_ok(hart)) return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return reduce<Wider<F>, F>(hart, operation, kSum);
  });
}

}  // namespace

namespace exec {

Outcome vfredosum_vs(Hart& hart, const Operation& operation) {
  return reduction(hart, operation, kSum);
}
Outcome vfredusum_vs(Hart& hart, const Operation& operation) {
  return reduction(hart, operation, kSum);
}
Outcome vfredmin_vs(Hart& hart, const Operation& operation) {
  return reduction(hart, operation, [](auto format, FloatContext& context, auto a, auto b) {
    return minimum<decltype(format)>(context, a, b);
  });
}
Outcome vfredmax_vs(Hart& hart, const Operation& operation) {
  return reduction(hart, operation, [](auto format, FloatContext& context, auto a, auto b) {
    return maximum<decltype(format)>(context, a, b);
  });
}
Outcome vfwredosum_vs(Hart& hart, const Operation& operation) {
  return widening_sum(hart, operation);
}
Outcome vfwredusum_vs(Hart& hart, const Operation& operation) {
  return widening_sum(hart, operation);
}

}  // namespace exec
}  // namespace d1::isa
