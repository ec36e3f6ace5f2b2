// SPDX-License-Identifier: Apache-2.0
// Vector conversions between formats and integers: one width, widening, narrowing. In the names of
// the groups below "narrow" is SEW and "wide" twice SEW.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

enum class Shape : std::uint8_t { Single, Widening, Narrowing };

// Registers and state; which SEW a conversion knows is the caller's to check.
[[nodiscard]] bool shape_ok(const Hart& hart, const Operation& operation, Shape shape) {
  const int lmul = hart.vtype.lmul_log2;
  const int to = lmul + (shape == Shape::Widening ? 1 : 0);
  const int from = lmul + (shape == Shape::Narrowing ? 1 : 0);
  const unsigned vd = operation.rd, vs2 = operation.rs2;
  return float_usable(hart) && group_ok(vd, to) && group_ok(vs2, from) &&
         destination_ok(operation) &&
         (shape != Shape::Widening || widening_overlap_ok(vd, to, vs2, from)) &&
         (shape != Shape::Narrowing || narrowing_overlap_ok(vd, to, vs2, from));
}

// vd[i] = function(context, vs2[i]). In ascending order every source is read before a destination
// that shares its register is written.
template <typename To, typename Source, typename Function>
Outcome convert_all(Hart& hart, const Operation& operation, Function function) {
  const Body body = body_of(hart, operation);
  {
    FloatScope scope(hart, kDynamic);
    for_elements<To>(hart, body, operation.rd, [&](unsigned index) {
      return static_cast<To>(function(scope, element<Source>(hart, operation.rs2, index)));
    });
  }
  constexpr unsigned kTo = kWidthLog2<To>;
  return finish_float(hart, body, operation.rd, kTo,
                      hart.vtype.lmul_log2 + static_cast<int>(kTo) - hart.vtype.sew_log2);
}

enum class Rounds : std::uint8_t { AsFrm, TowardsZero };
enum class Integers : std::uint8_t { Signed, Unsigned };

template <typename Bits, Integers kIntegers>
using IntegerOf = std::conditional_t<kIntegers == Integers::Signed, Signed<Bits>, Bits>;

template <typename F, typename I, Rounds kRounds>
Outcome to_integers(Hart& hart, const Operation& operation) {
  return convert_all<I, BitsOf<F>>(hart, operation, [](FloatContext& context, BitsOf<F> a) {
    if constexpr (kRounds == Rounds::TowardsZero)
      return to_integer<I, F>(context, a, Rounding::Rtz);
    else
      return to_integer<I, F>(context, a);
  });
}
template <typename F, typename I>
Outcome from_integers(Hart& hart, const Operation& operation) {
  return convert_all<BitsOf<F>, I>(
      hart, operation, [](FloatContext& context, I a) { return from_integer<F, I>(context, a); });
}

// The narrow integer types with the format twice as wide: 8 to 32 bits, F16 to F64.
template <typename T>
struct FormatTwice;
template <>
struct FormatTwice<std::uint8_t> {
  using Type = F16;
};
template <>
struct FormatTwice<std::uint16_t> {
  using Type = F32;
};
template <>
struct FormatTwice<std::uint32_t> {
  using Type = F64;
};

template <Integers kIntegers, Rounds kRounds>
Outcome single_to_integer(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Single) || !format_ok(hart))
    return illegal(hart, operation);
  return with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return to_integers<F, IntegerOf<BitsOf<F>, kIntegers>, kRounds>(hart, operation);
  });
}
template <Integers kIntegers>
Outcome single_from_integer(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Single) || !format_ok(hart))
    return illegal(hart, operation);
  return with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return from_integers<F, IntegerOf<BitsOf<F>, kIntegers>>(hart, operation);
  });
}

template <Integers kIntegers, Rounds kRounds>
Outcome widening_to_integer(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Widening) || !narrow_format_ok(hart))
    return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return to_integers<F, IntegerOf<Wide<BitsOf<F>>, kIntegers>, kRounds>(hart, operation);
  });
}
template <Integers kIntegers>
Outcome widening_from_integer(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Widening) || hart.vtype.sew_log2 >= kDoubleLog2)
    return illegal(hart, operation);
  return with_narrow_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    return from_integers<typename FormatTwice<T>::Type, IntegerOf<T, kIntegers>>(hart, operation);
  });
}

template <Integers kIntegers, Rounds kRounds>
Outcome narrowing_to_integer(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Narrowing) || hart.vtype.sew_log2 >= kDoubleLog2)
    return illegal(hart, operation);
  return with_narrow_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    return to_integers<typename FormatTwice<T>::Type, IntegerOf<T, kIntegers>, kRounds>(hart,
                                                                                        operation);
  });
}
template <Integers kIntegers>
Outcome narrowing_from_integer(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Narrowing) || !narrow_format_ok(hart))
    return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return from_integers<F, IntegerOf<Wide<BitsOf<F>>, kIntegers>>(hart, operation);
  });
}

// Half a packet of BF16 from a packet of F32, to nearest with ties to even; false, and nothing
// done, if a lane is a NaN, infinite, subnormal or might become infinite.
bool narrow_to_brain(const std::uint8_t* source, std::uint16_t* result, bool& inexact) noexcept {
  constexpr unsigned n = Chunk<std::uint32_t>::kElements;
  constexpr unsigned kDropped = F32::kFractionBits - BF16::kFractionBits;
  constexpr std::uint32_t kLow = (1U << kDropped) - 1;
  std::uint32_t lanes[n];
  std::memcpy(lanes, source, sizeof lanes);
  std::uint32_t special = 0, lost = 0;
  for (const std::uint32_t lane : lanes) {
    const std::uint32_t size = lane & F32::kMagnitude;
    const bool normal = size - F32::kSmallestNormal <
                        (std::uint32_t{BF16::kLargest} << kDropped) - F32::kSmallestNormal;
    special |= static_cast<std::uint32_t>(!normal & (size != 0));
    lost |= lane & kLow;
  }
  if (special != 0) return false;
  for (unsigned i = 0; i < n; ++i)
    result[i] = static_cast<std::uint16_t>((lanes[i] + (kLow >> 1) + (lanes[i] >> kDropped & 1)) >>
                                           kDropped);
  inexact |= lost != 0;
  return true;
}

Outcome brain_from_single(Hart& hart, const Operation& operation) {
  Body body = body_of(hart, operation);
  const Body all = body;
  {
    FloatScope scope(hart, kDynamic);
    if (!body.masked && scope.rounding == RoundingMode::Rne) {
      constexpr unsigned n = Chunk<std::uint32_t>::kElements;
      bool inexact = false;
      // Ascending, so that a destination in the lowest registers of the source is no harm.
      for (unsigned chunk = body.start / n; body.start % n == 0 && body.start + n <= body.end;
           ++chunk) {
        std::uint16_t result[n];
        if (!narrow_to_brain(bytes_of(hart, operation.rs2 + chunk), result, inexact)) break;
        std::memcpy(bytes_of(hart, operation.rd) + chunk * sizeof result, result, sizeof result);
        body.start += n;
      }
      if (inexact) scope.raise(kNx);
    }
    for_elements<std::uint16_t>(hart, body, operation.rd, [&](unsigned index) {
      return convert<BF16, F32>(scope, element<std::uint32_t>(hart, operation.rs2, index));
    });
  }
  return finish_float(hart, all, operation.rd, kFormatLog2<BF16>, hart.vtype.lmul_log2);
}

template <typename To, typename Source>
Outcome between_formats(Hart& hart, const Operation& operation) {
  return convert_all<BitsOf<To>, BitsOf<Source>>(
      hart, operation,
      [](FloatContext& context, BitsOf<Source> a) { return convert<To, Source>(context, a); });
}

}  // namespace

namespace exec {

#define D1_CONVERSIONS(shape, prefix, suffix)                                            \
  Outcome prefix##_x_f_##suffix(Hart& hart, const Operation& operation) {                \
    return shape##_to_integer<Integers::Signed, Rounds::AsFrm>(hart, operation);         \
  }                                                                                      \
  Outcome prefix##_xu_f_##suffix(Hart& hart, const Operation& operation) {               \
    return shape##_to_integer<Integers::Unsigned, Rounds::AsFrm>(hart, operation);       \
  }                                                                                      \
  Outcome prefix##_rtz_x_f_##suffix(Hart& hart, const Operation& operation) {            \
    return shape##_to_integer<Integers::Signed, Rounds::TowardsZero>(hart, operation);   \
  }                                                                                      \
  Outcome prefix##_rtz_xu_f_##suffix(Hart& hart, const Operation& operation) {           \
    return shape##_to_integer<Integers::Unsigned, Rounds::TowardsZero>(hart, operation); \
  }                                                                                      \
  Outcome prefix##_f_x_##suffix(Hart& hart, const Operation& operation) {                \
    return shape##_from_integer<Integers::Signed>(hart, operation);                      \
  }                                                                                      \
  Outcome prefix##_f_xu_##suffix(Hart& hart, const Operation& operation) {               \
    return shape##_from_integer<Integers::Unsigned>(hart, operation);                    \
  }
D1_CONVERSIONS(single, vfcvt, v)
D1_CONVERSIONS(widening, vfwcvt, v)
D1_CONVERSIONS(narrowing, vfncvt, w)
#undef D1_CONVERSIONS

Outcome vfwcvt_f_f_v(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Widening) || !narrow_format_ok(hart))
    return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return between_formats<Wider<F>, F>(hart, operation);
  });
}
Outcome vfncvt_f_f_w(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Narrowing) || !narrow_format_ok(hart))
    return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    return between_formats<F, Wider<F>>(hart, operation);
  });
}
Outcome vfncvt_rod_f_f_w(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Narrowing) || !narrow_format_ok(hart))
    return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    using W = Wider<F>;
    return convert_all<BitsOf<F>, BitsOf<W>>(hart, operation,
                                             [](FloatContext& context, BitsOf<W> a) {
                                               return convert<F, W>(context, a, Rounding::Odd);
                                             });
  });
}

Outcome vfwcvtbf16_f_f_v(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Widening) || hart.vtype.sew_log2 != kFormatLog2<BF16>)
    return illegal(hart, operation);
  return between_formats<F32, BF16>(hart, operation);
}
Outcome vfncvtbf16_f_f_w(Hart& hart, const Operation& operation) {
  if (!shape_ok(hart, operation, Shape::Narrowing) || hart.vtype.sew_log2 != kFormatLog2<BF16>)
    return illegal(hart, operation);
  return brain_from_single(hart, operation);
}

}  // namespace exec
}  // namespace d1::isa
