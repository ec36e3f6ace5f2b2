// SPDX-License-Identifier: Apache-2.0
// Vector minima, maxima and sign injection: results are made of the operands' bits by integer
// loops over packets. Of the flags only NV exists here, and only where there is a NaN.
#include <semantics/vector_float.hpp>

namespace d1::isa {
namespace {

using namespace vector_float;

template <typename F>
[[nodiscard]] bool any_nan(const std::uint8_t* packet) noexcept {
  using Bits = BitsOf<F>;
  Chunk<Bits> lanes;
  std::memcpy(&lanes, packet, sizeof lanes);
  Bits found = 0;
  for (const Bits lane : lanes.element)
    found = static_cast<Bits>(found | Bits{static_cast<Bits>(lane & F::kMagnitude) > F::kInfinity});
  return found != 0;
}

// An integer that orders as the values do, -0 below +0.
template <typename F>
[[nodiscard]] Signed<BitsOf<F>> ordered(BitsOf<F> a) noexcept {
  using Integer = Signed<BitsOf<F>>;
  const auto value = static_cast<Integer>(a);
  return static_cast<Integer>(value ^
                              static_cast<Integer>((value >> (F::kWidth - 1)) & F::kMagnitude));
}

struct Minimum {
  template <typename F>
  static BitsOf<F> of_any(FloatContext& context, BitsOf<F> a, BitsOf<F> b) {
    return minimum<F>(context, a, b);
  }
  template <typename F>
  static BitsOf<F> of_numbers(BitsOf<F> a, BitsOf<F> b) {
    return ordered<F>(a) < ordered<F>(b) ? a : b;
  }
};
struct Maximum {
  template <typename F>
  static BitsOf<F> of_any(FloatContext& context, BitsOf<F> a, BitsOf<F> b) {
    return maximum<F>(context, a, b);
  }
  template <typename F>
  static BitsOf<F> of_numbers(BitsOf<F> a, BitsOf<F> b) {
    return ordered<F>(a) < ordered<F>(b) ? b : a;
  }
};

template <typename Op, From kFrom>
Outcome extreme(Hart& hart, const Operation& operation) {
  return with_operands<kFrom>(
      hart, operation,
      [&]<typename F>(F, const Body& body, const Operand<F>& left, const Operand<F>& right) {
        using Bits = BitsOf<F>;
        FloatScope scope(hart, kDynamic);
        for_each_chunk<Bits>(body, [&](unsigned chunk) {
          constexpr unsigned n = Chunk<Bits>::kElements;
          const std::uint8_t* const a = left.packets(chunk).bytes;
          const std::uint8_t* const b = right.packets(chunk).bytes;
          Chunk<Bits> result;
          if (any_nan<F>(a) || any_nan<F>(b)) {
            for (std::uint64_t active = active_bits(hart, body, chunk * n, n); active != 0;
                 active &= active - 1) {
              const auto i = static_cast<unsigned>(std::countr_zero(active));
              result.element[i] = Op::template of_any<F>(scope, at<Bits>(a, i), at<Bits>(b, i));
            }
          } else {
            for (unsigned i = 0; i < n; ++i)
              result.element[i] = Op::template of_numbers<F>(at<Bits>(a, i), at<Bits>(b, i));
          }
          write_chunk(hart, body, operation.rd, chunk, result);
        });
      });
}

// function(F{}, a, b) without flags.
template <From kFrom, typename Function>
Outcome inject(Hart& hart, const Operation& operation, Function function) {
  return with_operands<kFrom>(
      hart, operation,
      [&]<typename F>(F format, const Body& body, const Operand<F>& left, const Operand<F>& right) {
        using Bits = BitsOf<F>;
        for_each_chunk<Bits>(body, [&](unsigned chunk) {
          const std::uint8_t* const a = left.packets(chunk).bytes;
          const std::uint8_t* const b = right.packets(chunk).bytes;
          Chunk<Bits> result;
          for (unsigned i = 0; i < Chunk<Bits>::kElements; ++i)
            result.element[i] = function(format, at<Bits>(a, i), at<Bits>(b, i));
          write_chunk(hart, body, operation.rd, chunk, result);
        });
      });
}

constexpr auto kSign = [](auto format, auto a, auto b) { return sgnj<decltype(format)>(a, b); };
constexpr auto kNegatedSign = [](auto format, auto a, auto b) {
  return sgnjn<decltype(format)>(a, b);
};
constexpr auto kXorSign = [](auto format, auto a, auto b) { return sgnjx<decltype(format)>(a, b); };

}  // namespace

namespace exec {

#define D1_BOTH_EXTREMES(name, Op)                            \
  Outcome name##_vv(Hart& hart, const Operation& operation) { \
    return extreme<Op, From::Vector>(hart, operation);        \
  }                                                           \
  Outcome name##_vf(Hart& hart, const Operation& operation) { \
    return extreme<Op, From::Scalar>(hart, operation);        \
  }
D1_BOTH_EXTREMES(vfmin, Minimum)
D1_BOTH_EXTREMES(vfmax, Maximum)
#undef D1_BOTH_EXTREMES

#define D1_BOTH_INJECTIONS(name, function)                    \
  Outcome name##_vv(Hart& hart, const Operation& operation) { \
    return inject<From::Vector>(hart, operation, function);   \
  }                                                           \
  Outcome name##_vf(Hart& hart, const Operation& operation) { \
    return inject<From::Scalar>(hart, operation, function);   \
  }
D1_BOTH_INJECTIONS(vfsgnj, kSign)
D1_BOTH_INJECTIONS(vfsgnjn, kNegatedSign)
D1_BOTH_INJECTIONS(vfsgnjx, kXorSign)
#undef D1_BOTH_INJECTIONS

}  // namespace exec
}  // namespace d1::isa
