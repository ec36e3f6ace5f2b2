// SPDX-License-Identifier: Apache-2.0
// The inner loop of a product of float matrices, over whatever the host put into memory: each round
// multiplies one row of B by a scalar for each of four rows of sums.
#include <riscv_vector.h>

#include <d1/kernel.hpp>

namespace {

constexpr std::size_t kBlocks = 16, kRounds = 30, kRows = 4, kRowOfA = 64;

std::uint64_t take_flags() {
  std::uint64_t flags;
  __asm__ volatile("fsflags %0, zero" : "=r"(flags));
  return flags;
}

void keep(double value, std::uint64_t* to) { __builtin_memcpy(to, &value, sizeof value); }
// All 64 bits of the register.
void keep(float value, std::uint64_t* to) {
  __asm__ volatile("fsd %1, 0(%0)" : : "r"(to), "f"(value) : "memory");
}

#define D1_OUTER_PRODUCTS(type, width)                                                       \
  void outer_products(const type* a, const type* b, const type* c, type* out,                \
                      std::uint64_t* last) {                                                 \
    const std::size_t vl = __riscv_vsetvlmax_e##width##m4();                                 \
    auto c0 = __riscv_vle##width##_v_f##width##m4(c, vl);                                    \
    auto c1 = __riscv_vle##width##_v_f##width##m4(c + vl, vl);                               \
    auto c2 = __riscv_vle##width##_v_f##width##m4(c + 2 * vl, vl);                           \
    auto c3 = __riscv_vle##width##_v_f##width##m4(c + 3 * vl, vl);                           \
    type a3 = 0;                                                                             \
    for (std::size_t k = 0; k < kRounds; ++k) {                                              \
      const auto row = __riscv_vle##width##_v_f##width##m4(b + 8 * k, vl);                   \
      c0 = __riscv_vfmacc(c0, a[k], row, vl);                                                \
      c1 = __riscv_vfmacc(c1, a[k + kRowOfA], row, vl);                                      \
      c2 = __riscv_vfmacc(c2, a[k + 2 * kRowOfA], row, vl);                                  \
      a3 = a[k + 3 * kRowOfA];                                                               \
      c3 = __riscv_vfmacc(c3, a3, row, vl);                                                  \
    }                                                                                        \
    keep(a3, last);                                                                          \
    __riscv_vse##width(out, c0, vl);                                                         \
    __riscv_vse##width(out + vl, c1, vl);                                                    \
    __riscv_vse##width(out + 2 * vl, c2, vl);                                                \
    __riscv_vse##width(out + 3 * vl, c3, vl);                                                \
  }
D1_OUTER_PRODUCTS(float, 32)
D1_OUTER_PRODUCTS(double, 64)

template <typename T>
void blocks(std::uint64_t in, std::uint64_t out, std::uint64_t bytes, std::uint64_t* flags,
            std::uint64_t* last) {
  const auto* const a = reinterpret_cast<const T*>(in);
  const auto* const b = reinterpret_cast<const T*>(in + bytes);
  const auto* const c = reinterpret_cast<const T*>(in + 2 * bytes);
  const std::size_t most = bytes / sizeof(T) - 8 * kRounds - 64;  // where the last block begins
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const std::size_t first = most * block / kBlocks;
    auto* const to = reinterpret_cast<T*>(out + block * kRows * 256);
    outer_products(a + first, b + first, c, to, last);
    flags[block] = take_flags();
  }
}

}  // namespace

// Three inputs of `bytes` each, one behind the other; then the sums of each block in singles and in
// doubles, the flags of each, and the last scalars.
D1_KERNEL void outer_products(std::uint64_t in, std::uint64_t out, std::uint64_t bytes) {
  constexpr std::uint64_t kSums = kBlocks * kRows * 256;
  auto* const flags = reinterpret_cast<std::uint64_t*>(out + 2 * kSums);
  (void)take_flags();
  blocks<float>(in, out, bytes, flags, flags + 2 * kBlocks);
  blocks<double>(in, out + kSums, bytes, flags + kBlocks, flags + 2 * kBlocks + 1);
}
