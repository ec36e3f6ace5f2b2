// SPDX-License-Identifier: Apache-2.0
// Integer reductions: vd[0] = vs1[0] combined with all active elements of vs2. The scalar sits in
// element 0 of one register, whatever LMUL is, and may share registers with the sources and v0.
#include <algorithm>

#include <semantics/vector_common.hpp>

namespace d1::isa {
namespace {

using namespace vector;

// Element 0 was written: the rest of the register is tail.
Outcome finish_scalar(Hart& hart, const Operation& operation, unsigned width_log2) {
  return finish(hart, Body{0, 1, false}, operation.rd, width_log2, 0);
}

// `function` combines two values of type Sum: the type of vd and vs1, Element that of vs2 (its
// signedness says how it is extended).
template <typename Sum, typename Element, typename F>
Outcome reduce(Hart& hart, const Operation& operation, F function) {
  const Body body = body_of(hart, operation);
  if (body.empty()) return finish(hart);
  Sum sum = element<Sum>(hart, operation.rs1, 0);
  for_each_active(hart, body, [&](unsigned index) {
    sum = static_cast<Sum>(
        function(sum, static_cast<Sum>(element<Element>(hart, operation.rs2, index))));
  });
  set_element<Sum>(hart, operation.rd, 0, sum);
  return finish_scalar(hart, operation, kWidthLog2<Sum>);
}

[[nodiscard]] bool reducible(const Hart& hart, const Operation& operation) {
  return usable(hart) && hart.vstart == 0 && group_ok(operation.rs2, hart.vtype.lmul_log2);
}

template <typename F>
Outcome reduce_unsigned(Hart& hart, const Operation& operation, F function) {
  if (!reducible(hart, operation)) return illegal(hart, operation);
  return with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    return reduce<T, T>(hart, operation, function);
  });
}

template <typename F>
Outcome reduce_signed(Hart& hart, const Operation& operation, F function) {
  if (!reducible(hart, operation)) return illegal(hart, operation);
  return with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = Signed<decltype(tag)>;
    return reduce<T, T>(hart, operation, function);
  });
}

constexpr auto kSum = [](auto a, auto b) { return a + b; };
constexpr auto kMinimum = [](auto a, auto b) { return std::min(a, b); };
constexpr auto kMaximum = [](auto a, auto b) { return std::max(a, b); };

[[nodiscard]] bool widening_reducible(const Hart& hart, const Operation& operation) {
  return reducible(hart, operation) && (2U << hart.vtype.sew_log2) <= kElenBits;
}

}  // namespace

namespace exec {

Outcome vredsum_vs(Hart& hart, const Operation& operation) {
  return reduce_unsigned(hart, operation, kSum);
}
Outcome vredand_vs(Hart& hart, const Operation& operation) {
  return reduce_unsigned(hart, operation, [](auto a, auto b) { return a & b; });
}
Outcome vredor_vs(Hart& hart, const Operation& operation) {
  return reduce_unsigned(hart, operation, [](auto a, auto b) { return a | b; });
}
Outcome vredxor_vs(Hart& hart, const Operation& operation) {
  return reduce_unsigned(hart, operation, [](auto a, auto b) { return a ^ b; });
}
Outcome vredminu_vs(Hart& hart, const Operation& operation) {
  return reduce_unsigned(hart, operation, kMinimum);
}
Outcome vredmaxu_vs(Hart& hart, const Operation& operation) {
  return reduce_unsigned(hart, operation, kMaximum);
}
Outcome vredmin_vs(Hart& hart, const Operation& operation) {
  return reduce_signed(hart, operation, kMinimum);
}
Outcome vredmax_vs(Hart& hart, const Operation& operation) {
  return reduce_signed(hart, operation, kMaximum);
}

Outcome vwredsumu_vs(Hart& hart, const Operation& operation) {
  if (!widening_reducible(hart, operation)) return illegal(hart, operation);
  return with_narrow_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    return reduce<Wide<T>, T>(hart, operation, kSum);
  });
}
Outcome vwredsum_vs(Hart& hart, const Operation& operation) {
  if (!widening_reducible(hart, operation)) return illegal(hart, operation);
  return with_narrow_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    return reduce<Wide<T>, Signed<T>>(hart, operation, kSum);
  });
}

}  // namespace exec
}  // namespace d1::isa
