// SPDX-License-Identifier: Apache-2.0
// What each element-wise vector floating-point instruction means for one element, in integer
// arithmetic: an independent statement of the semantics, which run on host instructions.
#pragma once

#include <vector>

#include <d1/isa/float_convert.hpp>

#include "vector_machine.hpp"

namespace d1::isa::test {

enum class Width : std::uint8_t { Sew, TwiceSew, Mask };
enum class First : std::uint8_t { None, Vector, Scalar };

struct FloatCase {
  const char* name;
  Semantics run;
  Width vd, vs2;
  First first;
  unsigned least_sew_log2, most_sew_log2;
  // (context, log2 of SEW, vs2[i], vs1[i] or scalar, vd[i]) as raw bits of their widths.
  std::uint64_t (*reference)(FloatContext&, unsigned, std::uint64_t, std::uint64_t, std::uint64_t);
  bool brain = false;  // elements of SEW are BF16

  // The canonical NaN of SEW.
  [[nodiscard]] std::uint64_t nan(unsigned sew_log2) const {
    if (brain) return BF16::kNan;
    return in_format(sew_log2, [](auto f) -> std::uint64_t { return decltype(f)::kNan; });
  }
};

// Every element-wise instruction of vector_float.def.
[[nodiscard]] std::vector<FloatCase> arithmetic_cases();
[[nodiscard]] std::vector<FloatCase> conversion_cases();

// Exactly the wide value of a narrow one; NV for a signaling NaN.
template <typename W, typename F>
[[nodiscard]] BitsOf<W> widened(FloatContext& context, std::uint64_t a) {
  const auto bits = static_cast<BitsOf<F>>(a);
  if (is_signaling<F>(bits)) context.raise(kNv);
  return detail::widen_exactly<W, F>(bits);
}

}  // namespace d1::isa::test
