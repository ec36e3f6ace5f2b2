// SPDX-License-Identifier: Apache-2.0
// Fixed point: saturating and averaging addition, fractional multiplication, rounding shifts and
// clips under vxrm; narrowing shifts. Saturation of an active element sets vxsat.
#include <semantics/vector_arithmetic.hpp>

namespace d1::isa {
namespace vector {
namespace {

// What fixed-point functions read and leave behind.
struct FixedPoint {
  std::uint8_t rounding;  // vxrm: nearest up, nearest even, down, odd
  bool saturated = false;
};

// The value shifted right by `shift` bits (0 to width - 1), rounded. Arithmetic for signed types.
template <typename T>
[[nodiscard]] constexpr T round_shift(T value, unsigned shift, unsigned rounding) {
  if (shift == 0) return value;
  const T result = static_cast<T>(value >> shift);
  const bool half = value >> (shift - 1) & 1;
  const T low_mask = static_cast<T>((T{1} << (shift - 1)) - 1);
  const bool below = (value & low_mask) != 0;
  const bool odd = result & 1;
  bool up = false;
  switch (rounding & 3) {
    case 0:
      up = half;
      break;
    case 1:
      up = half && (below || odd);
      break;
    case 2:
      break;
    case 3:
      up = !odd && (half || below);
      break;
  }
  return static_cast<T>(result + (up ? 1 : 0));
}

template <typename T>
inline constexpr T kSignBit = static_cast<T>(T{1} << (8 * sizeof(T) - 1));

// The most negative or most positive value, by the sign of `like`.
template <typename T>
[[nodiscard]] constexpr T limit_like(T like) {
  return (like & kSignBit<T>) != 0 ? kSignBit<T> : static_cast<T>(kSignBit<T> - 1);
}

constexpr auto kSaturatingAdd = []<typename T>(T a, T b, FixedPoint& state) {
  const T sum = static_cast<T>(a + b);
  if (sum >= a) return sum;
  state.saturated = true;
  return static_cast<T>(~T{0});
};
constexpr auto kSaturatingAddSigned = []<typename T>(T a, T b, FixedPoint& state) {
  const T sum = static_cast<T>(a + b);
  if (((a ^ sum) & (b ^ sum) & kSignBit<T>) == 0) return sum;
  state.saturated = true;
  return limit_like(a);
};
constexpr auto kSaturatingSubtract = []<typename T>(T a, T b, FixedPoint& state) {
  if (a >= b) return static_cast<T>(a - b);
  state.saturated = true;
  return T{0};
};
constexpr auto kSaturatingSubtractSigned = []<typename T>(T a, T b, FixedPoint& state) {
  const T difference = static_cast<T>(a - b);
  if (((a ^ b) & (a ^ difference) & kSignBit<T>) == 0) return difference;
  state.saturated = true;
  return limit_like(a);
};

// One bit more than the element holds is enough for these; wide types have it.
constexpr auto kAveragingAdd = []<typename T>(T a, T b, FixedPoint& state) {
  const Wide<T> sum = static_cast<Wide<T>>(Wide<T>{a} + b);
  return static_cast<T>(round_shift(sum, 1, state.rounding));
};
constexpr auto kAveragingSubtract = []<typename T>(T a, T b, FixedPoint& state) {
  const Wide<T> difference = static_cast<Wide<T>>(Wide<T>{a} - b);
  return static_cast<T>(round_shift(difference, 1, state.rounding));
};
constexpr auto kAveragingAddSigned = []<typename T>(T a, T b, FixedPoint& state) {
  using S = SignedWide<T>;
  const S sum = static_cast<S>(S{static_cast<Signed<T>>(a)} + static_cast<Signed<T>>(b));
  return static_cast<T>(round_shift(sum, 1, state.rounding));
};
constexpr auto kAveragingSubtractSigned = []<typename T>(T a, T b, FixedPoint& state) {
  using S = SignedWide<T>;
  const S difference = static_cast<S>(S{static_cast<Signed<T>>(a)} - static_cast<Signed<T>>(b));
  return static_cast<T>(round_shift(difference, 1, state.rounding));
};

// Signed fractions: only the product of the two most negative ones does not fit.
constexpr auto kFractionalMultiply = []<typename T>(T a, T b, FixedPoint& state) {
  if (a == kSignBit<T> && b == kSignBit<T>) {
    state.saturated = true;
    return static_cast<T>(kSignBit<T> - 1);
  }
  using S = SignedWide<T>;
  const S wide = static_cast<S>(S{static_cast<Signed<T>>(a)} * static_cast<Signed<T>>(b));
  return static_cast<T>(round_shift(wide, 8 * sizeof(T) - 1, state.rounding));
};

template <typename T>
constexpr unsigned amount(std::uint64_t b) {
  return static_cast<unsigned>(b) & (8 * sizeof(T) - 1);
}
constexpr auto kRoundingShift = []<typename T>(T a, T b, FixedPoint& state) {
  return round_shift(a, amount<T>(b), state.rounding);
};
constexpr auto kRoundingShiftSigned = []<typename T>(T a, T b, FixedPoint& state) {
  return static_cast<T>(round_shift(static_cast<Signed<T>>(a), amount<T>(b), state.rounding));
};

// Narrowing: `a` is twice as wide as the result.
constexpr auto kNarrowingShift = []<typename W>(W a, Half<W> b, FixedPoint&) {
  return static_cast<Half<W>>(a >> amount<W>(b));
};
constexpr auto kNarrowingShiftSigned = []<typename W>(W a, Half<W> b, FixedPoint&) {
  return static_cast<Half<W>>(static_cast<Signed<W>>(a) >> amount<W>(b));
};
constexpr auto kClip = []<typename W>(W a, Half<W> b, FixedPoint& state) {
  const W shifted = round_shift(a, amount<W>(b), state.rounding);
  const auto narrow = static_cast<Half<W>>(shifted);
  if (narrow == shifted) return narrow;
  state.saturated = true;
  return static_cast<Half<W>>(~Half<W>{0});
};
constexpr auto kClipSigned = []<typename W>(W a, Half<W> b, FixedPoint& state) {
  using T = Half<W>;
  const auto shifted = round_shift(static_cast<Signed<W>>(a), amount<W>(b), state.rounding);
  const auto narrow = static_cast<Signed<T>>(shifted);
  if (narrow == shifted) return static_cast<T>(narrow);
  state.saturated = true;
  return shifted < 0 ? kSignBit<T> : static_cast<T>(kSignBit<T> - 1);
};

// vd[i] = f(vs2[i], second[i]), active elements only, in ascending order.
template <typename F>
[[gnu::noinline]] Outcome fixed_point(Hart& hart, const Operation& operation, Source source, F f) {
  if (!same_width_ok(hart, operation, source)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  FixedPoint state{hart.vxrm};
  with_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    const SecondOperand<T> second(hart, operation, source);
    for_each_active(hart, body, [&](unsigned i) {
      const T value = f(element<T>(hart, operation.rs2, i), second.get(i), state);
      set_element(hart, operation.rd, i, value);
    });
  });
  hart.vxsat |= state.saturated ? 1 : 0;
  return finish_same_width(hart, operation, body);
}

// The same with vs2 twice as wide. Ascending order lets vd be the lowest registers of vs2.
template <typename F>
[[gnu::noinline]] Outcome narrow(Hart& hart, const Operation& operation, Source source, F f) {
  const int emul = hart.vtype.lmul_log2, wide = emul + 1;
  if (!usable(hart) || hart.vtype.sew_log2 > 5 || !group_ok(operation.rd, emul) ||
      !group_ok(operation.rs2, wide) || !source_ok(operation, source, emul) ||
      !narrowing_overlap_ok(operation.rd, emul, operation.rs2, wide) || !destination_ok(operation))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  FixedPoint state{hart.vxrm};
  with_narrow_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    const SecondOperand<T> second(hart, operation, source);
    for_each_active(hart, body, [&](unsigned i) {
      const T value = f(element<Wide<T>>(hart, operation.rs2, i), second.get(i), state);
      set_element(hart, operation.rd, i, value);
    });
  });
  hart.vxsat |= state.saturated ? 1 : 0;
  return finish_same_width(hart, operation, body);
}

}  // namespace
}  // namespace vector

namespace exec {

D1_VECTOR_VXI(vsaddu_v, fixed_point, vector::kSaturatingAdd)
D1_VECTOR_VXI(vsadd_v, fixed_point, vector::kSaturatingAddSigned)
D1_VECTOR_VX(vssubu_v, fixed_point, vector::kSaturatingSubtract)
D1_VECTOR_VX(vssub_v, fixed_point, vector::kSaturatingSubtractSigned)
D1_VECTOR_VX(vaaddu_v, fixed_point, vector::kAveragingAdd)
D1_VECTOR_VX(vaadd_v, fixed_point, vector::kAveragingAddSigned)
D1_VECTOR_VX(vasubu_v, fixed_point, vector::kAveragingSubtract)
D1_VECTOR_VX(vasub_v, fixed_point, vector::kAveragingSubtractSigned)
D1_VECTOR_VX(vsmul_v, fixed_point, vector::kFractionalMultiply)
D1_VECTOR_VXU(vssrl_v, fixed_point, vector::kRoundingShift)
D1_VECTOR_VXU(vssra_v, fixed_point, vector::kRoundingShiftSigned)
D1_VECTOR_VXU(vnclipu_w, narrow, vector::kClip)
D1_VECTOR_VXU(vnclip_w, narrow, vector::kClipSigned)
D1_VECTOR_VXU(vnsrl_w, narrow, vector::kNarrowingShift)
D1_VECTOR_VXU(vnsra_w, narrow, vector::kNarrowingShiftSigned)

}  // namespace exec
}  // namespace d1::isa
