// SPDX-License-Identifier: Apache-2.0
// IEEE arithmetic in integers for F16, F32 and F64: every rounding mode, all flags, no host
// floating point. Slow (some 20 to 200 ns); float_arithmetic.hpp uses it for ties away from zero,
// and for fused multiply-add on hosts without that instruction. Any thread.
#pragma once

#include <d1/isa/float_round.hpp>

namespace d1::isa::integer_only {

template <typename F>
[[nodiscard]] BitsOf<F> add(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept;
template <typename F>
[[nodiscard]] BitsOf<F> multiply(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept;
template <typename F>
[[nodiscard]] BitsOf<F> divide(FloatContext& context, BitsOf<F> a, BitsOf<F> b) noexcept;
template <typename F>
[[nodiscard]] BitsOf<F> square_root(FloatContext& context, BitsOf<F> a) noexcept;
// a * b + c, rounded once.
template <typename F>
[[nodiscard]] BitsOf<F> multiply_add(FloatContext& context, BitsOf<F> a, BitsOf<F> b,
                                     BitsOf<F> c) noexcept;

}  // namespace d1::isa::integer_only
