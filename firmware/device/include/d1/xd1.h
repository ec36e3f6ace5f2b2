/* SPDX-License-Identifier: Apache-2.0
 *
 * Xd1 from C and C++: one function for each instruction, one for each CSR. For code that runs on
 * the nodes, compiled by clang with V and -mrvv-vector-bits=zvl. What each does, bit by bit, stands
 * in firmware/isa/xd1.md; nothing here adds to it. Every vector is whole: vl, vtype and masks play
 * no part. BF16, FP16 and CFloat16 elements travel as uint16, CFloat8 ones as uint8.
 *
 * Functions that read or change d1fmt, d1bias or d1seed stay in program order among themselves;
 * semaphores, barriers and transfers are also compiler barriers for memory.
 */
#ifndef D1_XD1_H
#define D1_XD1_H

#include <riscv_vector.h>
#include <stddef.h>
#include <stdint.h>

/* ---- CSRs ---------------------------------------------------------------------------------- */
#define D1_CSR_READER(function, number)                  \
  static inline uint64_t function(void) {                \
    uint64_t value;                                      \
    __asm__ volatile("csrr %0, " #number : "=r"(value)); \
    return value;                                        \
  }
/* Never changes while a kernel runs, so reads may be merged and moved. */
#define D1_CSR_CONSTANT(function, number)       \
  static inline uint64_t function(void) {       \
    uint64_t value;                             \
    __asm__("csrr %0, " #number : "=r"(value)); \
    return value;                               \
  }
/* Constant during a launch, so the compiler may keep the value. */
#define D1_CSR_CONSTANT(function, number)       \
  static inline uint64_t function(void) {       \
    uint64_t value;                             \
    __asm__("csrr %0, " #number : "=r"(value)); \
    return value;                               \
  }
#define D1_CSR_WRITER(function, number)                       \
  static inline void function(uint64_t value) {               \
    __asm__ volatile("csrw " #number ", %0" : : "rK"(value)); \
  }
D1_CSR_READER(d1_format, 0x800)
D1_CSR_WRITER(d1_set_format, 0x800)
D1_CSR_READER(d1_bias, 0x801)
D1_CSR_WRITER(d1_set_bias, 0x801)
D1_CSR_READER(d1_seed, 0x802)
D1_CSR_WRITER(d1_set_seed, 0x802)
D1_CSR_WRITER(d1_set_modes, 0x803)    /* 0: all modes as a kernel finds them */
D1_CSR_CONSTANT(d1_rank, 0xcc0)       /* linear rank in the launch grid: row * columns + column */
D1_CSR_CONSTANT(d1_nodes, 0xcc1)      /* nodes of the launch */
D1_CSR_CONSTANT(d1_grid, 0xcc2)       /* rows << 32 | columns */
D1_CSR_CONSTANT(d1_die, 0xcc3)        /* die, relative to the DPU */
D1_CSR_CONSTANT(d1_node, 0xcc4)       /* place in the die: row << 16 | column */
D1_CSR_CONSTANT(d1_node_harts, 0xcc5) /* harts a node runs in this launch */
#undef D1_CSR_READER
#undef D1_CSR_CONSTANT
#undef D1_CSR_CONSTANT
#undef D1_CSR_WRITER

/* d1fmt */
enum {
  D1_FORMAT_A_152 = 1 << 0,          /* mma.cf8: A is 1-5-2, otherwise 1-4-3 */
  D1_FORMAT_B_152 = 1 << 1,          /* the same for B */
  D1_FORMAT_IEEE_DENORMALS = 1 << 2, /* 0.m x 2^(1-bias); otherwise the paper's 0.m x 2^-bias */
  D1_FORMAT_A_UHP = 1 << 3,          /* mma.cf16: A is UHP, otherwise SHP */
  D1_FORMAT_B_UHP = 1 << 4           /* the same for B */
};

/* A value of d1bias: biases, each 0 to 63, of the matrix operands A and B, of the packed source of
 * a widening conversion and of the packed result of a narrowing one. */
static inline uint64_t d1_make_bias(unsigned a, unsigned b, unsigned source, unsigned result) {
  return (uint64_t)a | (uint64_t)b << 8 | (uint64_t)source << 16 | (uint64_t)result << 24;
}

/* ---- Matrix: c += a * b, 8x8 FP32 ----------------------------------------------------------- */
#define D1_MMA(function, number, operand, qualifier)                                             \
  static inline vfloat32m4_t function(vfloat32m4_t c, operand a, operand b) {                    \
    __asm__ qualifier(".insn r 0x0b, 2, " #number ", %0, %1, %2" : "+vr"(c) : "vr"(a), "vr"(b)); \
    return c;                                                                                    \
  }
D1_MMA(d1_mma_bf16, 0, vuint16m1_t, )         /* a [8][4], b pairs along k: [2][8][2] */
D1_MMA(d1_mma_cf8, 1, vuint8m1_t, volatile)   /* a [8][8], b [8][8]; formats d1fmt, biases d1bias */
D1_MMA(d1_mma_f16, 2, vuint16m1_t, )          /* FP16, layouts of mma.bf16 */
D1_MMA(d1_mma_cf16, 3, vuint16m1_t, volatile) /* CFloat16, layouts of mma.bf16 */
#undef D1_MMA

/* ---- Conversions; element i of the source becomes element i of the result -------------------- */
#define D1_UNARY(function, funct3, number, result_type, source_type, qualifier) \
  static inline result_type function(source_type source) {                      \
    result_type result;                                                         \
    __asm__ qualifier(".insn r 0x0b, " #funct3 ", " #number ", %0, %1, x0"      \
                      : "=vr"(result)                                           \
                      : "vr"(source));                                          \
    return result;                                                              \
  }
#define D1_CONVERT(function, number, result_type, source_type) \
  D1_UNARY(function, 3, number, result_type, source_type, volatile)
/* packed to FP32: exact */
D1_CONVERT(d1_cvt_f32_cf143, 0x00, vfloat32m4_t, vuint8m1_t)
D1_CONVERT(d1_cvt_f32_cf152, 0x01, vfloat32m4_t, vuint8m1_t)
D1_CONVERT(d1_cvt_f32_shp, 0x02, vfloat32m2_t, vuint16m1_t)
D1_CONVERT(d1_cvt_f32_uhp, 0x03, vfloat32m2_t, vuint16m1_t)
/* packed to BF16: exact from CFloat8, rounded from CFloat16 */
D1_CONVERT(d1_cvt_bf16_cf143, 0x08, vuint16m2_t, vuint8m1_t)
D1_CONVERT(d1_cvt_bf16_cf152, 0x09, vuint16m2_t, vuint8m1_t)
D1_CONVERT(d1_cvt_bf16_shp_rn, 0x0a, vuint16m1_t, vuint16m1_t)
D1_CONVERT(d1_cvt_bf16_shp_sr, 0x2a, vuint16m1_t, vuint16m1_t)
D1_CONVERT(d1_cvt_bf16_uhp_rn, 0x0b, vuint16m1_t, vuint16m1_t)
D1_CONVERT(d1_cvt_bf16_uhp_sr, 0x2b, vuint16m1_t, vuint16m1_t)
/* FP32 to packed: _rn nearest, ties to even; _sr stochastic, advances d1seed */
D1_CONVERT(d1_cvt_cf143_f32_rn, 0x10, vuint8m1_t, vfloat32m4_t)
D1_CONVERT(d1_cvt_cf143_f32_sr, 0x30, vuint8m1_t, vfloat32m4_t)
D1_CONVERT(d1_cvt_cf152_f32_rn, 0x11, vuint8m1_t, vfloat32m4_t)
D1_CONVERT(d1_cvt_cf152_f32_sr, 0x31, vuint8m1_t, vfloat32m4_t)
D1_CONVERT(d1_cvt_shp_f32_rn, 0x12, vuint16m1_t, vfloat32m2_t)
D1_CONVERT(d1_cvt_shp_f32_sr, 0x32, vuint16m1_t, vfloat32m2_t)
D1_CONVERT(d1_cvt_uhp_f32_rn, 0x13, vuint16m1_t, vfloat32m2_t)
D1_CONVERT(d1_cvt_uhp_f32_sr, 0x33, vuint16m1_t, vfloat32m2_t)
D1_CONVERT(d1_cvt_bf16_f32_rn, 0x14, vuint16m1_t, vfloat32m2_t)
D1_CONVERT(d1_cvt_bf16_f32_sr, 0x34, vuint16m1_t, vfloat32m2_t)
/* BF16 to packed */
D1_CONVERT(d1_cvt_cf143_bf16_rn, 0x18, vuint8m1_t, vuint16m2_t)
D1_CONVERT(d1_cvt_cf143_bf16_sr, 0x38, vuint8m1_t, vuint16m2_t)
D1_CONVERT(d1_cvt_cf152_bf16_rn, 0x19, vuint8m1_t, vuint16m2_t)
D1_CONVERT(d1_cvt_cf152_bf16_sr, 0x39, vuint8m1_t, vuint16m2_t)
D1_CONVERT(d1_cvt_shp_bf16_rn, 0x1a, vuint16m1_t, vuint16m1_t)
D1_CONVERT(d1_cvt_shp_bf16_sr, 0x3a, vuint16m1_t, vuint16m1_t)
D1_CONVERT(d1_cvt_uhp_bf16_rn, 0x1b, vuint16m1_t, vuint16m1_t)
D1_CONVERT(d1_cvt_uhp_bf16_sr, 0x3b, vuint16m1_t, vuint16m1_t)
#undef D1_CONVERT

/* ---- Shuffles -------------------------------------------------------------------------------- */
#define D1_SHUFFLE(function, number, type) D1_UNARY(function, 4, number, type, type, )
D1_SHUFFLE(d1_transpose_e8, 0, vuint8m1_t) /* 8x8 elements, row by row */
D1_SHUFFLE(d1_transpose_e16, 1, vuint16m2_t)
D1_SHUFFLE(d1_transpose_e32, 2, vuint32m4_t)
/* Also: eight rows of 32 BF16 (or 64 CFloat8) to eight A operands, one for each 4 (8) of k; and
 * eight rows of 64 CFloat8 to eight B operands of mma.cf8. */
D1_SHUFFLE(d1_transpose_e64, 3, vuint64m8_t)
D1_SHUFFLE(d1_pack_b, 8, vuint16m1_t)   /* row-major [4][8] to the B operand's [2][8][2] */
D1_SHUFFLE(d1_unpack_b, 9, vuint16m1_t) /* its inverse */
D1_SHUFFLE(d1_pack_bt, 10, vuint16m1_t) /* columns [8][4] to [2][8][2] */
D1_SHUFFLE(d1_unpack_bt, 11, vuint16m1_t)
D1_SHUFFLE(d1_pack_b4, 12, vuint16m4_t) /* four rows of 32 to the B operands of four 8 columns */
D1_SHUFFLE(d1_unpack_b4, 13, vuint16m4_t)
D1_SHUFFLE(d1_pack_c, 14, vfloat32m8_t)   /* eight rows of 16 to two 8x8 C operands side by side */
D1_SHUFFLE(d1_unpack_c, 15, vfloat32m8_t) /* two C operands side by side to eight rows of 16 */
#undef D1_SHUFFLE
#undef D1_UNARY

/* ---- Semaphores ------------------------------------------------------------------------------ */
/* Waits until semaphore `index` of this node holds at least `count`, and takes them. */
static inline void d1_sem_wait(uint64_t index, uint64_t count) {
  __asm__ volatile(".insn r 0x2b, 0, 0, x0, %0, %1" : : "r"(index), "r"(count) : "memory");
}
/* The same without waiting: 1 if they were taken, 0 if there were too few. */
static inline uint64_t d1_sem_try(uint64_t index, uint64_t count) {
  uint64_t taken;
  __asm__ volatile(".insn r 0x2b, 0, 1, %0, %1, %2"
                   : "=r"(taken)
                   : "r"(index), "r"(count)
                   : "memory");
  return taken;
}
static inline uint64_t d1_sem_read(uint64_t index) {
  uint64_t value;
  __asm__ volatile(".insn r 0x2b, 0, 2, %0, %1, x0" : "=r"(value) : "r"(index) : "memory");
  return value;
}
/* Adds count to a semaphore: `target` is its number on this node, or a global address of a node
 * with the number in the offset field. Does not wait. */
static inline void d1_sem_post(uint64_t target, uint64_t count) {
  __asm__ volatile(".insn r 0x2b, 0, 3, x0, %0, %1" : : "r"(target), "r"(count) : "memory");
}

/* ---- Barriers -------------------------------------------------------------------------------- */
/* Waits until `harts` harts of this node have come here. */
static inline void d1_bar_node(uint64_t harts) {
  __asm__ volatile(".insn r 0x2b, 1, 0, x0, %0, x0" : : "r"(harts) : "memory");
}
/* Waits until `harts` harts of every node of the launch have come here. */
static inline void d1_bar_grid(uint64_t harts) {
  __asm__ volatile(".insn r 0x2b, 1, 1, x0, %0, x0" : : "r"(harts) : "memory");
}

/* ---- Transfers ------------------------------------------------------------------------------- */
/* Hands a list of struct d1_transfer (<d1/abi/transfer.h>) in this node's SRAM to the list parser;
 * the descriptors may be reused at once. */
static inline void d1_xfer(const void* descriptors, uint64_t count) {
  __asm__ volatile(".insn r 0x2b, 2, 0, x0, %0, %1" : : "r"(descriptors), "r"(count) : "memory");
}
/* Waits until every transfer of this hart is complete locally. */
static inline void d1_xfer_wait(void) {
  __asm__ volatile(".insn r 0x2b, 2, 1, x0, x0, x0" : : : "memory");
}

/* ---- Services -------------------------------------------------------------------------------- */
/* Hands text to whoever listens; never waits for them, keeps the order of this hart's lines. */
static inline void d1_print(const char* text, size_t bytes) {
  __asm__ volatile(".insn r 0x2b, 3, 0, x0, %0, %1" : : "r"(text), "r"(bytes) : "memory");
}
/* Traps with cause Assert; `text` ends with a zero byte. */
__attribute__((noreturn)) static inline void d1_trap(const char* text) {
  __asm__ volatile(".insn r 0x2b, 3, 1, x0, %0, x0" : : "r"(text) : "memory");
  __builtin_unreachable();
}
/* A mark for the profiler, at one fixed cost whether anyone looks or not. */
static inline void d1_zone(uint64_t mark) {
  __asm__ volatile(".insn r 0x2b, 3, 2, x0, %0, x0" : : "r"(mark) : "memory");
}
/* Puts this hart back to reset. */
__attribute__((noreturn)) static inline void d1_halt(void) {
  __asm__ volatile(".insn r 0x2b, 3, 3, x0, x0, x0" : : : "memory");
  __builtin_unreachable();
}

#endif
