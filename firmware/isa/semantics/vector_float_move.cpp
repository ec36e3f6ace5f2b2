// SPDX-License-Identifier: Apache-2.0
// Floating-point scalars to and from vectors: splat, merge, slides by one, element 0. They round
// nothing, yet need a valid frm as all vector floating-point instructions do.
#include <semantics/vector_float.hpp>
#include <semantics/vector_slide.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

[[nodiscard]] std::uint64_t scalar_of_sew(const Hart& hart, unsigned number) {
  return with_format(hart.vtype.sew_log2, [&](auto format) {
    return std::uint64_t{scalar<decltype(format)>(hart, number)};
  });
}

[[nodiscard]] bool slidable(const Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  return float_usable(hart) && format_ok(hart) && group_ok(operation.rd, lmul) &&
         group_ok(operation.rs2, lmul) && destination_ok(operation);
}

}  // namespace

namespace exec {

Outcome vfmerge_vfm(Hart& hart, const Operation& operation) {
  // Encoded with vm = 0, so destination_ok (in slidable) keeps v0 out.
  if (!slidable(hart, operation)) return illegal(hart, operation);
  const Body body = unmasked_body_of(hart);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using Bits = BitsOf<decltype(format)>;
    const Bits value = scalar<decltype(format)>(hart, operation.rs1);
    for_elements<Bits>(hart, body, operation.rd, [&](unsigned index) {
      return mask_bit(hart, 0, index) ? value : element<Bits>(hart, operation.rs2, index);
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

Outcome vfmv_v_f(Hart& hart, const Operation& operation) {
  if (!float_usable(hart) || !format_ok(hart) || !group_ok(operation.rd, hart.vtype.lmul_log2))
    return illegal(hart, operation);
  const Body body = unmasked_body_of(hart);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using Bits = BitsOf<decltype(format)>;
    const Bits value = scalar<decltype(format)>(hart, operation.rs1);
    Chunk<Bits> splat;
    for (Bits& lane : splat.element) lane = value;
    for_each_chunk<Bits>(
        body, [&](unsigned chunk) { write_chunk(hart, body, operation.rd, chunk, splat); });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

Outcome vfslide1up_vf(Hart& hart, const Operation& operation) {
  if (!slidable(hart, operation) || operation.rd == operation.rs2) return illegal(hart, operation);
  return slide_one_up(hart, operation, scalar_of_sew(hart, operation.rs1));
}
Outcome vfslide1down_vf(Hart& hart, const Operation& operation) {
  if (!slidable(hart, operation)) return illegal(hart, operation);
  return slide_one_down(hart, operation, scalar_of_sew(hart, operation.rs1));
}

// Element 0 is read even if vl is 0. LMUL plays no part: any register will do.
Outcome vfmv_f_s(Hart& hart, const Operation& operation) {
  if (!float_usable(hart) || !format_ok(hart)) return illegal(hart, operation);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    std::uint64_t value = element<BitsOf<F>>(hart, operation.rs2, 0);
    if constexpr (F::kWidth < 64) value |= ~std::uint64_t{0} << F::kWidth;
    hart.f[operation.rd] = value;
  });
  mark_float_dirty(hart);
  return finish(hart);
}
Outcome vfmv_s_f(Hart& hart, const Operation& operation) {
  if (!float_usable(hart) || !format_ok(hart)) return illegal(hart, operation);
  return set_first_element(hart, operation, scalar_of_sew(hart, operation.rs1));
}

}  // namespace exec
}  // namespace d1::isa
