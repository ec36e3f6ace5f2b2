// SPDX-License-Identifier: Apache-2.0
#include <d1/isa/float_integer_only.hpp>

namespace d1::isa::integer_only {
namespace {

__extension__ typedef unsigned __int128 Wide;

[[nodiscard]] unsigned leading_zeros(Wide value) noexcept {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  if (high != 0) return static_cast<unsigned>(std::countl_zero(high));
  return 64 + static_cast<unsigned>(std::countl_zero(static_cast<std::uint64_t>(value)));
}

// value * 2^(exponent - 127) as an Unpacked; value is not zero.
[[nodiscard]] Unpacked normalize(bool sign, int exponent, Wide value) noexcept {
  const unsigned zeros = leading_zeros(value);
  value <<= zeros;
  const bool sticky = static_cast<std::uint64_t>(value) != 0;
  return {sign, exponent - static_cast<int>(zeros),
          static_cast<std::uint64_t>(value >> 64) | std::uint64_t{sticky}};
}

template <typename F>
[[nodiscard]] BitsOf<F> invalid(FloatContext& context) noexcept {
  context.raise(kNv);
  return F::kNan;
}

// The result if any operand is a NaN.
template <typename F>
[[nodiscard]] BitsOf<F> propagate(FloatContext& context, bool signaling) noexcept {
  if (signaling) context.raise(kNv);
  return F::kNan;
}

// The sum of two zeros, or an exact difference of zero.
template <typename F>
[[nodiscard]] BitsOf<F> zero_sum(const FloatContext& context, bool sign, bool other) noexcept {
  return with_sign<F>(0, sign == other ? sign : context.rounding == RoundingMode::Rdn);
}

[[nodiscard]] Wide integer_square_root(Wide value) noexcept {
  std::uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const std::uint64_t trial = root | std::uint64_t{1} << bit;
    if (Wide{trial} * trial <= value) root = trial;
  }
  return root;
}

}  // namespace

template <typename F>
BitsOf<F> multiply_add(FloatContext& context, BitsOf<F> a, BitsOf<F> b, BitsOf<F> c) noexcept {
  const bool product_sign = sign_of<F>(a) != sign_of<F>(b);
  if ((is_infinite<F>(a) && is_zero<F>(b)) || (is_zero<F>(a) && is_infinite<F>(b)))
    return invalid<F>(context);  // even if c is a quiet NaN
  if (is_nan<F>(a) || is_nan<F>(b) || is_nan<F>(c))
    return propagate<F>(context, is_signaling<F>(a) || is_signaling<F>(b) || is_signaling<F>(c));
  if (is_infinite<F>(a) || is_infinite<F>(b)) {
    if (is_infinite<F>(c) && sign_of<F>(c) != product_sign) return invalid<F>(context);
    return with_sign<F>(F::kInfinity, product_sign);
  }
  if (is_infinite<F>(c)) return c;
  if (is_zero<F>(a) || is_zero<F>(b))
    return is_zero<F>(c) ? zero_sum<F>(context, product_sign, sign_of<F>(c)) : c;

  // Both terms with their top bit at 126, so that a sum has room for its carry. Products have at
  // most 106 bits: the 20 free ones below keep differences exact wherever bits cancel.
  const Unpacked x = unpack<F>(a);
  const Unpacked y = unpack<F>(b);
  Wide product = Wide{x.significand} * y.significand;
  int exponent = x.exponent + y.exponent + 1;
  const unsigned zeros = leading_zeros(product);
  exponent -= static_cast<int>(zeros);
  product = zeros == 0 ? product >> 1 : product;
  if (is_zero<F>(c))
    return round_to<F>(context, normalize(product_sign, exponent + 1, product),
                       rounding_of(context));
  const Unpacked z = unpack<F>(c);
  Wide addend = Wide{z.significand} << 63;
  if (exponent >= z.exponent) {
    addend = shift_right_sticky(addend, static_cast<unsigned>(exponent - z.exponent));
  } else {
    product = shift_right_sticky(product, static_cast<unsigned>(z.exponent - exponent));
    exponent = z.exponent;
  }
  bool sign = product_sign;
  Wide sum;
  if (product_sign == z.sign) {
    sum = product + addend;
  } else if (product >= addend) {
    sum = product - addend;
  } else {
    sum = addend - product;
    sign = z.sign;
  }
  if (sum == 0) return zero_sum<F>(context, product_sign, z.sign);
  return round_to<F>(context, normalize(sign, exponent + 1, sum), rounding_of(context));
}

template <typename F>
BitsOf<F> add(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  constexpr auto kOne = static_cast<BitsOf<F>>(std::uint64_t{F::kBias} << F::kFractionBits);
  return multiply_add<F>(context, a, kOne, b);
}

template <typename F>
BitsOf<F> multiply(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  // A zero addend of the product's sign changes nothing, zero products included.
  return multiply_add<F>(context, a, b, static_cast<BitsOf<F>>((a ^ b) & F::kSign));
}

template <typename F>
BitsOf<F> divide(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept {
  const bool sign = sign_of<F>(a) != sign_of<F>(b);
  if (is_nan<F>(a) || is_nan<F>(b))
    return propagate<F>(context, is_signaling<F>(a) || is_signaling<F>(b));
  if ((is_zero<F>(a) && is_zero<F>(b)) || (is_infinite<F>(a) && is_infinite<F>(b)))
    return invalid<F>(context);
  if (is_infinite<F>(a)) return with_sign<F>(F::kInfinity, sign);
  if (is_zero<F>(a) || is_infinite<F>(b)) return with_sign<F>(0, sign);
  if (is_zero<F>(b)) {
    context.raise(kDz);
    return with_sign<F>(F::kInfinity, sign);
  }
  const Unpacked x = unpack<F>(a);
  const Unpacked y = unpack<F>(b);
  const Wide numerator = Wide{x.significand} << 63;
  const Wide quotient = numerator / y.significand;  // 62 to 64 bits
  const bool remainder = quotient * y.significand != numerator;
  const Wide value = quotient << 64 | Wide{remainder};
  return round_to<F>(context, normalize(sign, x.exponent - y.exponent, value),
                     rounding_of(context));
}

template <typename F>
BitsOf<F> square_root(FloatContext& context, BitsOf<F> a) noexcept {
  if (is_nan<F>(a)) return propagate<F>(context, is_signaling<F>(a));
  if (is_zero<F>(a)) return a;
  if (sign_of<F>(a)) return invalid<F>(context);
  if (is_infinite<F>(a)) return a;
  const Unpacked x = unpack<F>(a);
  const Wide radicand = Wide{x.significand} << (x.exponent & 1 ? 64 : 63);
  const Wide root = integer_square_root(radicand);  // top bit at 63
  const Wide value = root << 64 | Wide{root * root != radicand};
  return round_to<F>(context, normalize(false, x.exponent >> 1, value), rounding_of(context));
}

#define D1_INSTANTIATE(F)                                                       \
  template BitsOf<F> add<F>(FloatContext&, BitsOf<F>, BitsOf<F>) noexcept;      \
  template BitsOf<F> multiply<F>(FloatContext&, BitsOf<F>, BitsOf<F>) noexcept; \
  template BitsOf<F> divide<F>(FloatContext&, BitsOf<F>, BitsOf<F>) noexcept;   \
  template BitsOf<F> square_root<F>(FloatContext&, BitsOf<F>) noexcept;         \
  template BitsOf<F> multiply_add<F>(FloatContext&, BitsOf<F>, BitsOf<F>, BitsOf<F>) noexcept;
D1_INSTANTIATE(F16)
D1_INSTANTIATE(F32)
D1_INSTANTIATE(F64)
#undef D1_INSTANTIATE

}  // namespace d1::isa::integer_only
