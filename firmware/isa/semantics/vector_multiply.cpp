// SPDX-License-Identifier: Apache-2.0
// Multiplication, division and multiply-add at one width.
#include <semantics/vector_arithmetic.hpp>

namespace d1::isa {
namespace vector {
namespace {

// Narrow factors are widened first: the product of two uint16_t would overflow int.
template <typename T>
constexpr T product(T a, T b) {
  return static_cast<T>(std::uint64_t{a} * b);
}
constexpr auto kMultiply = []<typename T>(T a, T b) { return product(a, b); };

// The upper half of a product. 128-bit integers carry the 64-bit case.
constexpr auto kMultiplyHigh = []<typename T>(T a, T b) {
  return static_cast<T>((Wide<T>{a} * b) >> 8 * sizeof(T));
};
constexpr auto kMultiplyHighSigned = []<typename T>(T a, T b) {
  using S = SignedWide<T>;
  const S wide = static_cast<S>(static_cast<Signed<T>>(a)) * static_cast<Signed<T>>(b);
  return static_cast<T>(wide >> 8 * sizeof(T));
};
constexpr auto kMultiplyHighMixed = []<typename T>(T a, T b) {  // vs2 signed, the other not
  using S = SignedWide<T>;
  return static_cast<T>((static_cast<S>(static_cast<Signed<T>>(a)) * static_cast<S>(b)) >>
                        8 * sizeof(T));
};

// Division never traps: by zero gives all ones and the dividend as remainder; the one signed
// overflow gives the dividend and 0.
constexpr auto kDivide = []<typename T>(T a, T b) {
  return b == 0 ? static_cast<T>(~T{0}) : static_cast<T>(a / b);
};
constexpr auto kRemainder = []<typename T>(T a, T b) { return b == 0 ? a : static_cast<T>(a % b); };
constexpr auto kDivideSigned = []<typename T>(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if (b == static_cast<T>(~T{0})) return static_cast<T>(T{0} - a);
  return static_cast<T>(static_cast<Signed<T>>(a) / static_cast<Signed<T>>(b));
};
constexpr auto kRemainderSigned = []<typename T>(T a, T b) {
  if (b == 0) return a;
  if (b == static_cast<T>(~T{0})) return T{0};
  return static_cast<T>(static_cast<Signed<T>>(a) % static_cast<Signed<T>>(b));
};

// d is vd, a the operand of field rs1, b is vs2.
constexpr auto kAccumulate = []<typename T>(T d, T a, T b) {
  return static_cast<T>(d + product(a, b));
};
constexpr auto kAccumulateNegated = []<typename T>(T d, T a, T b) {
  return static_cast<T>(d - product(a, b));
};
constexpr auto kMultiplyAdd = []<typename T>(T d, T a, T b) {
  return static_cast<T>(product(a, d) + b);
};
constexpr auto kMultiplyAddNegated = []<typename T>(T d, T a, T b) {
  return static_cast<T>(b - product(a, d));
};

}  // namespace
}  // namespace vector

namespace exec {

D1_VECTOR_VX(vmul_v, binary, vector::kMultiply)
D1_VECTOR_VX(vmulhu_v, binary, vector::kMultiplyHigh)
D1_VECTOR_VX(vmulh_v, binary, vector::kMultiplyHighSigned)
D1_VECTOR_VX(vmulhsu_v, binary, vector::kMultiplyHighMixed)
D1_VECTOR_VX(vdivu_v, binary, vector::kDivide)
D1_VECTOR_VX(vdiv_v, binary, vector::kDivideSigned)
D1_VECTOR_VX(vremu_v, binary, vector::kRemainder)
D1_VECTOR_VX(vrem_v, binary, vector::kRemainderSigned)
D1_VECTOR_VX(vmacc_v, ternary, vector::kAccumulate)
D1_VECTOR_VX(vnmsac_v, ternary, vector::kAccumulateNegated)
D1_VECTOR_VX(vmadd_v, ternary, vector::kMultiplyAdd)
D1_VECTOR_VX(vnmsub_v, ternary, vector::kMultiplyAddNegated)

}  // namespace exec
}  // namespace d1::isa
