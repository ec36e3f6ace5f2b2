// SPDX-License-Identifier: Apache-2.0
// Vector floating point of one width: sums, products, quotients, roots, estimates.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

// An operation on two elements: on one pair, and the kernel for packets.
#define D1_FLOAT_OPERATION(Name, function, kernel)                            \
  struct Name {                                                               \
    static constexpr auto kKernel = kernel;                                   \
    template <typename F>                                                     \
    static BitsOf<F> apply(FloatContext& context, BitsOf<F> a, BitsOf<F> b) { \
      return function;                                                        \
    }                                                                         \
  };
D1_FLOAT_OPERATION(Add, add<F>(context, a, b), &LaneKernels::add)
D1_FLOAT_OPERATION(Subtract, subtract<F>(context, a, b), &LaneKernels::subtract)
D1_FLOAT_OPERATION(Multiply, multiply<F>(context, a, b), &LaneKernels::multiply)
D1_FLOAT_OPERATION(Divide, divide<F>(context, a, b), &LaneKernels::divide)
#undef D1_FLOAT_OPERATION

template <typename Op, typename F>
void run_binary(Hart& hart, const Body& body, unsigned vd, const Operand<F>& left,
                const Operand<F>& right) {
  FloatScope scope(hart, kDynamic);
  if (const LaneKernels* const lanes = lane_kernels<F>(scope);
      lanes != nullptr && lanes->*Op::kKernel != nullptr) {
    for_packets<F>(
        hart, body, vd,
        [&](std::uint8_t* result, unsigned packets, PacketStream l, PacketStream r) {
          (lanes->*Op::kKernel)(result, l, r, packets);
        },
        left, right);
    return;
  }
  for_elements<BitsOf<F>>(hart, body, vd, [&](unsigned index) {
    return Op::template apply<F>(scope, left[index], right[index]);
  });
}

enum class Order : std::uint8_t { Normal, Reversed };  // vs2 is the left or the right operand

template <typename Op, From kFrom, Order kOrder = Order::Normal>
Outcome binary(Hart& hart, const Operation& operation) {
  return with_operands<kFrom>(
      hart, operation,
      [&]<typename F>(F, const Body& body, const Operand<F>& vs2, const Operand<F>& other) {
        if constexpr (kOrder == Order::Normal)
          run_binary<Op, F>(hart, body, operation.rd, vs2, other);
        else
          run_binary<Op, F>(hart, body, operation.rd, other, vs2);
      });
}

// vd[i] = function(F{}, context, vs2[i]).
template <typename Function>
Outcome unary(Hart& hart, const Operation& operation, Function function) {
  if (!operands_ok(hart, operation, From::Scalar)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using Bits = BitsOf<decltype(format)>;
    FloatScope scope(hart, kDynamic);
    for_elements<Bits>(hart, body, operation.rd, [&](unsigned index) {
      return static_cast<Bits>(function(format, scope, element<Bits>(hart, operation.rs2, index)));
    });
  });
  return finish_float(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

}  // namespace

namespace exec {

#define D1_BOTH_FORMS(name, Op)                               \
  Outcome name##_vv(Hart& hart, const Operation& operation) { \
    return binary<Op, From::Vector>(hart, operation);         \
  }                                                           \
  Outcome name##_vf(Hart& hart, const Operation& operation) { \
    return binary<Op, From::Scalar>(hart, operation);         \
  }
D1_BOTH_FORMS(vfadd, Add)
D1_BOTH_FORMS(vfsub, Subtract)
D1_BOTH_FORMS(vfmul, Multiply)
D1_BOTH_FORMS(vfdiv, Divide)
#undef D1_BOTH_FORMS

Outcome vfrsub_vf(Hart& hart, const Operation& operation) {
  return binary<Subtract, From::Scalar, Order::Reversed>(hart, operation);
}
Outcome vfrdiv_vf(Hart& hart, const Operation& operation) {
  return binary<Divide, From::Scalar, Order::Reversed>(hart, operation);
}

Outcome vfsqrt_v(Hart& hart, const Operation& operation) {
  if (!operands_ok(hart, operation, From::Scalar)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    FloatScope scope(hart, kDynamic);
    const Operand<F> source(bytes_of(hart, operation.rs2));
    if (const LaneKernels* const lanes = lane_kernels<F>(scope);
        lanes != nullptr && lanes->square_root != nullptr) {
      for_packets<F>(
          hart, body, operation.rd,
          [&](std::uint8_t* result, unsigned packets, PacketStream stream) {
            lanes->square_root(result, stream, packets);
          },
          source);
      return;
    }
    for_elements<BitsOf<F>>(hart, body, operation.rd,
                            [&](unsigned index) { return square_root<F>(scope, source[index]); });
  });
  return finish_float(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

Outcome vfrec7_v(Hart& hart, const Operation& operation) {
  return unary(hart, operation, [](auto format, FloatContext& context, auto a) {
    return reciprocal_estimate<decltype(format)>(context, a);
  });
}
Outcome vfrsqrt7_v(Hart& hart, const Operation& operation) {
  return unary(hart, operation, [](auto format, FloatContext& context, auto a) {
    return reciprocal_root_estimate<decltype(format)>(context, a);
  });
}
Outcome vfclass_v(Hart& hart, const Operation& operation) {
  return unary(hart, operation,
               [](auto format, FloatContext&, auto a) { return classify<decltype(format)>(a); });
}

}  // namespace exec
}  // namespace d1::isa
