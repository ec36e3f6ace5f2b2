// SPDX-License-Identifier: Apache-2.0
// Loops of matrix products among whatever else may happen to sums and operands, for comparing
// engines.
#include <d1/kernel.hpp>

namespace {

constexpr std::uint64_t kSums = 7 * 256, kOperands = 4 * 64, kPlaces = 16;

}  // namespace

// v4, v8, ... v28 are sums, from `in`; `products` rounds multiply what lies behind them, and add it
// to four of these and to what MORE does. `alias` is a global address of the node's own SRAM: an
// access by it is no plain one.
#define D1_MULTIPLY(name, MORE)                                                                   \
  static void name(const char* in, std::uint64_t alias, std::uint64_t products, char* out) {      \
    __asm__ volatile(                                                                             \
        "  vsetvli t0, zero, e32, m1, ta, ma \n"                                                  \
        "  mv t1, %[in] \n"                                                                       \
        "  vl4re32.v v4, (t1) \n  addi t1, t1, 256 \n"                                            \
        "  vl4re32.v v8, (t1) \n  addi t1, t1, 256 \n"                                            \
        "  vl4re32.v v12, (t1) \n  addi t1, t1, 256 \n"                                           \
        "  vl4re32.v v16, (t1) \n  addi t1, t1, 256 \n"                                           \
        "  vl4re32.v v20, (t1) \n  addi t1, t1, 256 \n"                                           \
        "  vl4re32.v v24, (t1) \n  addi t1, t1, 256 \n"                                           \
        "  vl4re32.v v28, (t1) \n  addi t1, t1, 256 \n"                                           \
        "  mv t2, %[products] \n"                                                                 \
        "  beqz t2, 5f \n"                                                                        \
        "1: \n"                                                                                   \
        "  vl2re16.v v0, (t1) \n"                                                                 \
        "  addi t3, t1, 128 \n"                                                                   \
        "  vl2re16.v v2, (t3) \n"                                                                 \
        "  .insn r 0x0b, 2, 0, x8, x0, x2 \n" /* mma.bf16 v8, v0, v2 */                           \
        "  .insn r 0x0b, 2, 0, x12, x0, x3 \n"                                                    \
        "  .insn r 0x0b, 2, 0, x16, x1, x2 \n" MORE                                               \
        "  vl1re16.v v3, (t1) \n" /* an operand changes between two uses */                       \
        "  .insn r 0x0b, 2, 0, x20, x1, x3 \n"                                                    \
        "  andi t3, t2, 1 \n"                                                                     \
        "  bnez t3, 3f \n"                                                                        \
        "  vfadd.vv v9, v9, v14 \n" /* single registers of sums, read and changed */              \
        "  vle32.v v18, (%[in]) \n"                                                               \
        "  vmv1r.v v22, v10 \n"                                                                   \
        "  .insn r 0x0b, 2, 0, x12, x21, x2 \n" /* sums as operands */                            \
        "  .insn r 0x0b, 2, 0, x16, x0, x25 \n"                                                   \
        "  vs1r.v v17, (%[out]) \n"                                                               \
        "3: \n"                                                                                   \
        "  andi t3, t2, 2 \n"                                                                     \
        "  bnez t3, 4f \n"                                                                        \
        "  .insn r 0x0b, 2, 0, x8, x1, x2 \n"                                                     \
        "  vl1re16.v v3, (%[alias]) \n"                                                           \
        "  .insn r 0x0b, 2, 0, x12, x1, x2 \n"                                                    \
        "  .insn r 0x0b, 2, 0, x16, x1, x3 \n"                                                    \
        "4: \n"                                                                                   \
        "  addi t2, t2, -1 \n"                                                                    \
        "  bnez t2, 1b \n"                                                                        \
        "5: \n"                                                                                   \
        "  mv t1, %[out] \n"                                                                      \
        "  vs4r.v v4, (t1) \n  addi t1, t1, 256 \n"                                               \
        "  vs4r.v v8, (t1) \n  addi t1, t1, 256 \n"                                               \
        "  vs4r.v v12, (t1) \n  addi t1, t1, 256 \n"                                              \
        "  vs4r.v v16, (t1) \n  addi t1, t1, 256 \n"                                              \
        "  vs4r.v v20, (t1) \n  addi t1, t1, 256 \n"                                              \
        "  vs4r.v v24, (t1) \n  addi t1, t1, 256 \n"                                              \
        "  vs4r.v v28, (t1) \n"                                                                   \
        :                                                                                         \
        : [in] "r"(in), [alias] "r"(alias), [products] "r"(products), [out] "r"(out)              \
        : "t0", "t1", "t2", "t3", "vl", "vtype", "memory", "v0", "v1", "v2", "v3", "v4", "v5",    \
          "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",  \
          "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",     \
          "v31");                                                                                 \
  }

D1_MULTIPLY(multiply_four, "")
// More sums than a host has registers for.
D1_MULTIPLY(multiply_seven,
            "  .insn r 0x0b, 2, 0, x24, x1, x2 \n"
            "  .insn r 0x0b, 2, 0, x28, x0, x3 \n"
            "  .insn r 0x0b, 2, 0, x4, x0, x3 \n"
            "  .insn r 0x0b, 2, 0, x4, x1, x2 \n")

// Rounds of 0 to 6 products: sums that nothing was added to stay as they came, NaNs and all.
template <typename Multiply>
static void multiply_all(std::uint64_t in, std::uint64_t out, std::uint64_t rounds,
                         Multiply multiply) {
  const auto last_operand = static_cast<std::uint32_t>(in + kSums + kOperands);
  for (std::uint64_t round = 0; round < rounds; ++round)
    multiply(reinterpret_cast<const char*>(in), d1_grid_address(d1::rank(), last_operand),
             round % 7, reinterpret_cast<char*>(out + round % kPlaces * kSums));
}

D1_KERNEL void products_of_four(std::uint64_t in, std::uint64_t out, std::uint64_t rounds) {
  multiply_all(in, out, rounds, multiply_four);
}
D1_KERNEL void products_of_seven(std::uint64_t in, std::uint64_t out, std::uint64_t rounds) {
  multiply_all(in, out, rounds, multiply_seven);
}

// Shuffles of what the host put into memory, and of sums. The loop makes the code hot.
D1_KERNEL void shuffles(std::uint64_t in, std::uint64_t out, std::uint64_t rounds) {
  const auto* const quads = reinterpret_cast<const std::uint64_t*>(in);
  const auto* const halves = reinterpret_cast<const std::uint16_t*>(in);
  const auto* const singles = reinterpret_cast<const float*>(in);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    __riscv_vse64(reinterpret_cast<std::uint64_t*>(out),
                  d1_transpose_e64(__riscv_vle64_v_u64m8(quads + round % 3, 64)), 64);
    __riscv_vse16(reinterpret_cast<std::uint16_t*>(out + 512),
                  d1_pack_b4(__riscv_vle16_v_u16m4(halves + round % 5, 128)), 128);
    const vuint16m1_t a = __riscv_vle16_v_u16m1(halves, 32);
    const vuint16m1_t b = __riscv_vle16_v_u16m1(halves + 32, 32);
    vfloat32m4_t left = __riscv_vle32_v_f32m4(singles + 64, 64);
    vfloat32m4_t right = __riscv_vle32_v_f32m4(singles + 128, 64);
    for (std::uint64_t i = 0; i < round % 3; ++i) {
      left = d1_mma_bf16(left, a, b);
      right = d1_mma_bf16(right, b, a);
    }
    __riscv_vse32(reinterpret_cast<float*>(out + 768 + round % 4 * 512),
                  d1_unpack_c(__riscv_vcreate_v_f32m4_f32m8(left, right)), 128);
  }
}
