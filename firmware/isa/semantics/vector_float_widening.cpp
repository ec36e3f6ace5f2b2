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

// What is done to wide values: element by element, and by kernels to packets of them.
#define D1_WIDE_OPERATION(Name, function, kernel)                                        \
  struct Name {                                                                          \
    template <typename F>                                                                \
    static BitsOf<F> apply(FloatContext& context, BitsOf<F> a, BitsOf<F> b, BitsOf<F>) { \
      return function<F>(context, a, b);                                                 \
    }                                                                                    \
    static bool available(const LaneKernels&) { return true; }                           \
    static bool run(const LaneKernels& lanes, std::uint8_t* result, PacketStream a,      \
                    PacketStream b, PacketStream) {                                      \
      lanes.kernel(result, a, b, 1);                                                     \
      return false;                                                                      \
    }                                                                                    \
  };
D1_WIDE_OPERATION(Add, add, add)
D1_WIDE_OPERATION(Subtract, subtract, subtract)
D1_WIDE_OPERATION(Multiply, multiply, multiply)
#undef D1_WIDE_OPERATION

// Bits as the index of LaneKernels::fused.
constexpr unsigned kProduct = 1, kAddend = 2;

template <unsigned kNegated>
struct Fused {
  template <typename F>
  static BitsOf<F> apply(FloatContext& context, BitsOf<F> a, BitsOf<F> b, BitsOf<F> c) {
    if constexpr ((kNegated & kProduct) != 0) a = negate<F>(a);
    if constexpr ((kNegated & kAddend) != 0) c = negate<F>(c);
    return multiply_add<F>(context, a, b, c);
  }
  static bool available(const LaneKernels& lanes) { return lanes.fused[kNegated] != nullptr; }
  static bool run(const LaneKernels& lanes, std::uint8_t* result, PacketStream a, PacketStream b,
                  PacketStream c) {
    return lanes.fused[kNegated](result, a, b, c, 1);
  }
};

// One packet of wide values from half a packet of elements, ones where they are not active.
template <typename F>
void widen_packet(const LaneKernels& lanes, const Operand<F>& operand, unsigned chunk,
                  std::uint64_t active, Chunk<BitsOf<Wider<F>>>& wide) {
  using W = Wider<F>;
  constexpr unsigned n = Chunk<BitsOf<W>>::kElements;
  BitsOf<F> narrow[n];
  std::memcpy(narrow, operand.half_packet(chunk), sizeof narrow);
  if (active != ~std::uint64_t{0} >> (64 - n))
    for (unsigned i = 0; i < n; ++i)
      if ((active >> i & 1) == 0) narrow[i] = kOne<F>;
  if constexpr (std::is_same_v<F, BF16>) {
    // The upper half of an F32, signaling NaNs too: the operation that follows raises NV.
    for (unsigned i = 0; i < n; ++i) wide.element[i] = BitsOf<W>{narrow[i]} << BF16::kWidth;
  } else {
    lanes.widen(reinterpret_cast<std::uint8_t*>(&wide),
                {reinterpret_cast<const std::uint8_t*>(narrow), 0}, 1);
  }
}

template <typename T>
[[nodiscard]] PacketStream packet_of(const Chunk<T>& chunk) {
  return {reinterpret_cast<const std::uint8_t*>(&chunk), 0};
}

// In ascending order narrow sources in the upper half of vd are read before they are overwritten.
template <typename Op, typename F, Second kSecond>
void widen_packets(Hart& hart, const Operation& operation, const Body& body, FloatScope& scope,
                   const LaneKernels& lanes, const Operand<F>& first) {
  using W = Wider<F>;
  using Result = Chunk<BitsOf<W>>;
  using Source = std::conditional_t<kSecond == Second::Wide, W, F>;
  constexpr unsigned n = Result::kElements;
  const Operand<Source> second(bytes_of(hart, operation.rs2));
  const Operand<W> third(bytes_of(hart, operation.rd));
  for_each_chunk<BitsOf<W>>(body, [&](unsigned chunk) {
    const std::uint64_t active = active_bits(hart, body, chunk * n, n);
    if (active == 0) return;
    Result one, two, result;
    widen_packet(lanes, first, chunk, active, one);
    if constexpr (kSecond == Second::Wide)
      two = only_active(second, chunk, active);
    else
      widen_packet(lanes, second, chunk, active, two);
    const Result three = only_active(third, chunk, active);
    if (Op::run(lanes, reinterpret_cast<std::uint8_t*>(&result), packet_of(two), packet_of(one),
                packet_of(three)))
      scope.raise(kNv);
    write_chunk(hart, body, operation.rd, chunk, result);
  });
}

// vd[i] = Op(vs2[i], vs1[i] or scalar, vd[i]), all as wide values.
template <typename Op, typename F, From kFrom, Second kSecond>
Outcome widen(Hart& hart, const Operation& operation) {
  using W = Wider<F>;
  using Source = std::conditional_t<kSecond == Second::Wide, W, F>;
  const Body body = body_of(hart, operation);
  const auto run = [&] {
    FloatScope scope(hart, kDynamic);
    const FirstOperand<F, kFrom> first(hart, operation);
    const LaneKernels* const lanes = lane_kernels<W>(scope);
    if (lanes != nullptr && lanes->widen != nullptr && Op::available(*lanes)) {
      widen_packets<Op, F, kSecond>(hart, operation, body, scope, *lanes, first);
      return;
    }
    for_elements<BitsOf<W>>(hart, body, operation.rd, [&](unsigned index) {
      const auto vs2 = element<BitsOf<Source>>(hart, operation.rs2, index);
      const BitsOf<W> one = convert<W, F>(scope, first[index]);
      BitsOf<W> two;
      if constexpr (kSecond == Second::Wide)
        two = vs2;
      else
        two = convert<W, F>(scope, vs2);
      return Op::template apply<W>(scope, two, one, element<BitsOf<W>>(hart, operation.rd, index));
    });
  };
  run();
  return finish_float(hart, body, operation.rd, kFormatLog2<W>, hart.vtype.lmul_log2 + 1);
}

template <typename Op, From kFrom, Second kSecond>
Outcome widening(Hart& hart, const Operation& operation) {
  if (!widening_ok(hart, operation, kFrom, kSecond)) return illegal(hart, operation);
  return with_narrow_format(hart.vtype.sew_log2, [&](auto format) {
    return widen<Op, decltype(format), kFrom, kSecond>(hart, operation);
  });
}

template <From kFrom>
Outcome brain_multiply_add(Hart& hart, const Operation& operation) {
  if (!widening_ok(hart, operation, kFrom, Second::Narrow) ||
      hart.vtype.sew_log2 != kFormatLog2<BF16>)
    return illegal(hart, operation);
  return widen<Fused<0>, BF16, kFrom, Second::Narrow>(hart, operation);
}

}  // namespace

namespace exec {

#define D1_FORM(name, from, second, Op)                               \
  Outcome name(Hart& hart, const Operation& operation) {              \
    return widening<Op, From::from, Second::second>(hart, operation); \
  }
#define D1_BOTH_FORMS(name, Op)          \
  D1_FORM(name##_vv, Vector, Narrow, Op) \
  D1_FORM(name##_vf, Scalar, Narrow, Op)
D1_BOTH_FORMS(vfwadd, Add)
D1_BOTH_FORMS(vfwsub, Subtract)
D1_BOTH_FORMS(vfwmul, Multiply)
D1_BOTH_FORMS(vfwmacc, Fused<0>)
D1_BOTH_FORMS(vfwmsac, Fused<kAddend>)
D1_BOTH_FORMS(vfwnmacc, Fused<kProduct | kAddend>)
D1_BOTH_FORMS(vfwnmsac, Fused<kProduct>)
D1_FORM(vfwadd_wv, Vector, Wide, Add)
D1_FORM(vfwadd_wf, Scalar, Wide, Add)
D1_FORM(vfwsub_wv, Vector, Wide, Subtract)
D1_FORM(vfwsub_wf, Scalar, Wide, Subtract)
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
