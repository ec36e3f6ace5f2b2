// SPDX-License-Identifier: Apache-2.0
// Instructions whose result is wider than an operand: widening arithmetic, vzext and vsext.
#include <semantics/vector_arithmetic.hpp>

namespace d1::isa {
namespace vector {
namespace {

// How a narrow operand becomes wide.
enum class Extend : std::uint8_t { Zero, Sign, AlreadyWide };

template <Extend extend, typename W>
[[nodiscard]] inline W widened(const std::uint8_t* bytes, unsigned index) noexcept {
  if constexpr (extend == Extend::AlreadyWide) {
    return at<W>(bytes, index);
  } else {
    const Half<W> value = at<Half<W>>(bytes, index);
    if constexpr (extend == Extend::Zero) return value;
    return static_cast<W>(static_cast<Signed<W>>(static_cast<Signed<Half<W>>>(value)));
  }
}

[[nodiscard]] inline bool widening_ok(const Hart& hart, const Operation& operation, Source source,
                                      int first_emul) noexcept {
  const int emul = hart.vtype.lmul_log2, wide = emul + 1;
  if (!usable(hart) || hart.vtype.sew_log2 > 5 || !group_ok(operation.rd, wide)) return false;
  if (!group_ok(operation.rs2, first_emul) || !source_ok(operation, source, emul)) return false;
  if (first_emul == emul && !widening_overlap_ok(operation.rd, wide, operation.rs2, emul))
    return false;
  if (source == Source::Vector && !widening_overlap_ok(operation.rd, wide, operation.rs1, emul))
    return false;
  return destination_ok(operation);
}

// vd[i] = f(vd[i], vs2[i], second[i]), all of twice the width, `first` and `second_extend` saying
// how the operands get there. Results are made a register at a time in ascending order, so vd may
// share its highest registers with a narrow source: those are read before they are written.
template <Extend first, Extend second_extend, typename F>
[[gnu::noinline]] Outcome widen(Hart& hart, const Operation& operation, Source source, F f) {
  const int emul = hart.vtype.lmul_log2;
  constexpr bool wide_first = first == Extend::AlreadyWide;
  if (!widening_ok(hart, operation, source, wide_first ? emul + 1 : emul))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_narrow_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    using W = Wide<T>;
    const SecondOperand<T> second(hart, operation, source);
    for_each_chunk<W>(body, [&](unsigned chunk) {
      const unsigned narrow_offset = chunk * (kVlenBytes / 2);
      const std::uint8_t* const d = bytes_of(hart, operation.rd + chunk);
      const std::uint8_t* const a =
          bytes_of(hart, operation.rs2) + (wide_first ? chunk * kVlenBytes : narrow_offset);
      const std::uint8_t* const b = second.from(narrow_offset);
      Chunk<W> result;
      for (unsigned i = 0; i < Chunk<W>::kElements; ++i)
        result.element[i] =
            f(at<W>(d, i), widened<first, W>(a, i), widened<second_extend, W>(b, i));
      write_chunk(hart, body, operation.rd, chunk, result);
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2 + 1U, emul + 1);
}

constexpr auto kAdd = []<typename W>(W, W a, W b) { return static_cast<W>(a + b); };
constexpr auto kSubtract = []<typename W>(W, W a, W b) { return static_cast<W>(a - b); };
template <typename W>
constexpr W product(W a, W b) {
  return static_cast<W>(std::uint64_t{a} * b);
}
constexpr auto kMultiply = []<typename W>(W, W a, W b) { return product(a, b); };
constexpr auto kAccumulate = []<typename W>(W d, W a, W b) {
  return static_cast<W>(d + product(a, b));
};

// vd[i] = vs2[i], extended from one Factor-th of its width.
template <unsigned Factor, Extend extend>
Outcome extension(Hart& hart, const Operation& operation) {
  constexpr int log2 = Factor == 2 ? 1 : Factor == 4 ? 2 : 3;
  const int emul = hart.vtype.lmul_log2, source_emul = emul - log2;
  if (!usable(hart) || hart.vtype.sew_log2 < 3 + log2 || !group_ok(operation.rd, emul) ||
      !group_ok(operation.rs2, source_emul) || !destination_ok(operation) ||
      !widening_overlap_ok(operation.rd, emul, operation.rs2, source_emul))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) >= Factor) {
      using Narrow = typename UnsignedOf<sizeof(T) / Factor>::Type;
      using N = std::conditional_t<extend == Extend::Sign, Signed<Narrow>, Narrow>;
      for_each_chunk<T>(body, [&](unsigned chunk) {
        const std::uint8_t* const a = bytes_of(hart, operation.rs2) + chunk * (kVlenBytes / Factor);
        Chunk<T> result;
        for (unsigned i = 0; i < Chunk<T>::kElements; ++i)
          result.element[i] = static_cast<T>(at<N>(a, i));
        write_chunk(hart, body, operation.rd, chunk, result);
      });
    }
  });
  return finish_same_width(hart, operation, body);
}

}  // namespace
}  // namespace vector

namespace exec {

#define D1_WIDEN(id, source, first, second, f)                           \
  Outcome id(Hart& hart, const Operation& operation) {                   \
    return vector::widen<vector::Extend::first, vector::Extend::second>( \
        hart, operation, vector::Source::source, vector::f);             \
  }
#define D1_WIDEN_VX(id, first, second, f)   \
  D1_WIDEN(id##v, Vector, first, second, f) \
  D1_WIDEN(id##x, Scalar, first, second, f)

D1_WIDEN_VX(vwaddu_v, Zero, Zero, kAdd)
D1_WIDEN_VX(vwadd_v, Sign, Sign, kAdd)
D1_WIDEN_VX(vwsubu_v, Zero, Zero, kSubtract)
D1_WIDEN_VX(vwsub_v, Sign, Sign, kSubtract)
D1_WIDEN_VX(vwaddu_w, AlreadyWide, Zero, kAdd)
D1_WIDEN_VX(vwadd_w, AlreadyWide, Sign, kAdd)
D1_WIDEN_VX(vwsubu_w, AlreadyWide, Zero, kSubtract)
D1_WIDEN_VX(vwsub_w, AlreadyWide, Sign, kSubtract)
// The first extension is that of vs2, the second that of the operand in field rs1.
D1_WIDEN_VX(vwmulu_v, Zero, Zero, kMultiply)
D1_WIDEN_VX(vwmul_v, Sign, Sign, kMultiply)
D1_WIDEN_VX(vwmulsu_v, Sign, Zero, kMultiply)
D1_WIDEN_VX(vwmaccu_v, Zero, Zero, kAccumulate)
D1_WIDEN_VX(vwmacc_v, Sign, Sign, kAccumulate)
D1_WIDEN_VX(vwmaccsu_v, Zero, Sign, kAccumulate)
D1_WIDEN(vwmaccus_vx, Scalar, Sign, Zero, kAccumulate)

#undef D1_WIDEN_VX
#undef D1_WIDEN

#define D1_EXTENSION(id, factor, extend)                                       \
  Outcome id(Hart& hart, const Operation& operation) {                         \
    return vector::extension<factor, vector::Extend::extend>(hart, operation); \
  }

D1_EXTENSION(vzext_vf2, 2, Zero)
D1_EXTENSION(vzext_vf4, 4, Zero)
D1_EXTENSION(vzext_vf8, 8, Zero)
D1_EXTENSION(vsext_vf2, 2, Sign)
D1_EXTENSION(vsext_vf4, 4, Sign)
D1_EXTENSION(vsext_vf8, 8, Sign)

#undef D1_EXTENSION

}  // namespace exec
}  // namespace d1::isa
