// SPDX-License-Identifier: Apache-2.0
// Moves of a scalar into a vector, which integer and floating-point forms share: the caller has
// checked legality and brings the scalar as bits of the element's width or more. Private to
// firmware/isa/semantics; owns nothing, any thread.
#pragma once

#include <semantics/vector_common.hpp>

namespace d1::isa::vector {

// vd[0] = value, vd[i] = vs2[i - 1].
inline Outcome slide_one_up(Hart& hart, const Operation& operation, std::uint64_t value) {
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    for_each_active(hart, body, [&](unsigned index) {
      set_element(hart, operation.rd, index,
                  index == 0 ? static_cast<T>(value) : element<T>(hart, operation.rs2, index - 1));
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

// vd[vl - 1] = value, vd[i] = vs2[i + 1]; vd may be vs2, as the order is ascending.
inline Outcome slide_one_down(Hart& hart, const Operation& operation, std::uint64_t value) {
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    for_each_active(hart, body, [&](unsigned index) {
      set_element(hart, operation.rd, index,
                  index + 1 == body.end ? static_cast<T>(value)
                                        : element<T>(hart, operation.rs2, index + 1));
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

// vd[0] = value, unless nothing is to be done (vstart >= vl). LMUL plays no part.
inline Outcome set_first_element(Hart& hart, const Operation& operation, std::uint64_t value) {
  if (hart.vstart >= hart.vl) return finish(hart);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    set_element(hart, operation.rd, 0, static_cast<decltype(tag)>(value));
  });
  return finish(hart, Body{0, 1, false}, operation.rd, hart.vtype.sew_log2, 0);
}

}  // namespace d1::isa::vector
