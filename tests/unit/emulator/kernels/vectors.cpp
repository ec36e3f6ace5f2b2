// SPDX-License-Identifier: Apache-2.0
// Loops of vector instructions over whatever the host put into memory, for comparing engines. The
// last round of each loop is a short one. Results and float flags go to `out`.
#include <riscv_vector.h>

#include <d1/kernel.hpp>

namespace {

std::uint64_t take_flags() {
  std::uint64_t flags;
  __asm__ volatile("fsflags %0, zero" : "=r"(flags));
  return flags;
}

template <typename Round>
void over(std::size_t count, Round round) {
  for (std::size_t i = 0; i < count;) i += round(i, count - i);
}

}  // namespace

#define D1_FUSED(name, width, lmul, type)                                                   \
  std::uint64_t name(const type* a, const type* b, const type* c, type* out, std::size_t n, \
                     type scalar) {                                                         \
    over(n, [&](std::size_t i, std::size_t left) {                                          \
      const std::size_t vl = __riscv_vsetvl_e##width##m##lmul(left);                        \
      const auto x = __riscv_vle##width##_v_f##width##m##lmul(a + i, vl);                   \
      const auto y = __riscv_vle##width##_v_f##width##m##lmul(b + i, vl);                   \
      auto z = __riscv_vle##width##_v_f##width##m##lmul(c + i, vl);                         \
      z = __riscv_vfmacc(z, x, y, vl);                                                      \
      z = __riscv_vfnmsac(z, scalar, y, vl);                                                \
      z = __riscv_vfmadd(z, x, y, vl);                                                      \
      z = __riscv_vfnmacc(z, scalar, x, vl);                                                \
      __riscv_vse##width(out + i, z, vl);                                                   \
      return vl;                                                                            \
    });                                                                                     \
    return take_flags();                                                                    \
  }
#define D1_PLAIN(name, width, lmul, type)                                                   \
  std::uint64_t name(const type* a, const type* b, const type* c, type* out, std::size_t n, \
                     type scalar) {                                                         \
    over(n, [&](std::size_t i, std::size_t left) {                                          \
      const std::size_t vl = __riscv_vsetvl_e##width##m##lmul(left);                        \
      const auto x = __riscv_vle##width##_v_f##width##m##lmul(a + i, vl);                   \
      const auto y = __riscv_vle##width##_v_f##width##m##lmul(b + i, vl);                   \
      const auto z = __riscv_vle##width##_v_f##width##m##lmul(c + i, vl);                   \
      auto r = __riscv_vfdiv(__riscv_vfadd(x, y, vl), z, vl);                               \
      r = __riscv_vfsub(__riscv_vfmul(r, scalar, vl), x, vl);                               \
      r = __riscv_vfrdiv(__riscv_vfrsub(r, scalar, vl), scalar, vl);                        \
      __riscv_vse##width(out + i, r, vl);                                                   \
      return vl;                                                                            \
    });                                                                                     \
    return take_flags();                                                                    \
  }
#define D1_WHOLE(name, width, lmul, type)                                                   \
  void name(const type* a, const type* b, type* out, std::size_t n, type scalar) {          \
    over(n, [&](std::size_t i, std::size_t left) {                                          \
      const std::size_t vl = __riscv_vsetvl_e##width##m##lmul(left);                        \
      const auto x = __riscv_vle##width##_v_i##width##m##lmul(a + i, vl);                   \
      const auto y = __riscv_vle##width##_v_i##width##m##lmul(b + i, vl);                   \
      auto r = __riscv_vadd(__riscv_vmul(x, y, vl), scalar, vl);                            \
      r = __riscv_vxor(__riscv_vmin(r, y, vl), __riscv_vmax(x, scalar, vl), vl);            \
      r = __riscv_vrsub(__riscv_vand(r, 13, vl), scalar, vl);                               \
      r = __riscv_vor(r, __riscv_vsub(x, y, vl), vl);                                       \
      __riscv_vse##width(out + i, r, vl);                                                   \
      return vl;                                                                            \
    });                                                                                     \
  }
namespace {
D1_FUSED(fused32, 32, 4, float)
D1_FUSED(fused64, 64, 1, double)
D1_PLAIN(plain32, 32, 2, float)
D1_PLAIN(plain64, 64, 2, double)
D1_WHOLE(whole8, 8, 1, std::int8_t)
D1_WHOLE(whole16, 16, 2, std::int16_t)
D1_WHOLE(whole32, 32, 4, std::int32_t)
D1_WHOLE(whole64, 64, 1, std::int64_t)
}  // namespace

// Three inputs of `bytes` each, one behind the other, then eight results of as many and the flags.
// bytes is a multiple of 8.
D1_KERNEL void vectors(std::uint64_t in, std::uint64_t out, std::uint64_t bytes) {
  const auto at = [&]<typename T>(std::uint64_t base, unsigned number, T) {
    return reinterpret_cast<T*>(base + number * bytes);
  };
  const std::uint64_t singles = bytes / 4, doubles = bytes / 8;
  auto* const flags = reinterpret_cast<std::uint64_t*>(out + 8 * bytes);
  (void)take_flags();
  flags[0] = fused32(at(in, 0, 0.0f), at(in, 1, 0.0f), at(in, 2, 0.0f), at(out, 0, 0.0f), singles,
                     *at(in, 1, 0.0f));
  flags[1] = fused64(at(in, 0, 0.0), at(in, 1, 0.0), at(in, 2, 0.0), at(out, 1, 0.0), doubles,
                     *at(in, 1, 0.0));
  flags[2] = plain32(at(in, 0, 0.0f), at(in, 1, 0.0f), at(in, 2, 0.0f), at(out, 2, 0.0f), singles,
                     *at(in, 2, 0.0f));
  flags[3] = plain64(at(in, 0, 0.0), at(in, 1, 0.0), at(in, 2, 0.0), at(out, 3, 0.0), doubles,
                     *at(in, 2, 0.0));
  using I8 = std::int8_t;
  using I16 = std::int16_t;
  using I32 = std::int32_t;
  using I64 = std::int64_t;
  whole8(at(in, 0, I8{}), at(in, 1, I8{}), at(out, 4, I8{}), bytes, *at(in, 2, I8{}));
  whole16(at(in, 0, I16{}), at(in, 1, I16{}), at(out, 5, I16{}), bytes / 2, *at(in, 2, I16{}));
  whole32(at(in, 0, I32{}), at(in, 1, I32{}), at(out, 6, I32{}), singles, *at(in, 2, I32{}));
  whole64(at(in, 0, I64{}), at(in, 1, I64{}), at(out, 7, I64{}), doubles, *at(in, 2, I64{}));
}

// C += A x B with what the host put into memory, stored by way of the node's own global address,
// which host code leaves to the semantics function: the sums must be canonical there too. The loop
// makes the code hot.
D1_KERNEL void sums_by_alias(std::uint64_t in, std::uint64_t out, std::uint64_t rounds) {
  const std::uint64_t own = d1_grid_address(d1::rank(), static_cast<std::uint32_t>(out));
  for (std::uint64_t round = 0; round < rounds; ++round) {
    vfloat32m4_t c = __riscv_vle32_v_f32m4(reinterpret_cast<const float*>(in), 64);
    const auto* const operands = reinterpret_cast<const std::uint16_t*>(in + 256);
    const vuint16m1_t a = __riscv_vle16_v_u16m1(operands, 32);
    const vuint16m1_t b = __riscv_vle16_v_u16m1(operands + 32, 32);
    c = d1_mma_bf16(c, a, b);
    __riscv_vse32(reinterpret_cast<float*>(own), c, 64);
  }
}
