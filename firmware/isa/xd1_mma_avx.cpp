// SPDX-License-Identifier: Apache-2.0
// Matrix products of Xd1 on AVX2 and AVX-512. Chosen at run time, so each function names what it
// needs of the host, and the file itself is compiled for any x86-64.
#include "xd1_mma.hpp"

#if defined(__x86_64__)
#if !defined(__clang__)
// GCC 12 takes the undefined registers within its own intrinsics for a mistake (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#define D1_AVX2 __attribute__((target("avx2,fma,f16c")))
#define D1_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

namespace d1::isa::numerics {
namespace {

D1_AVX2 inline __m256 canonical(__m256 value) noexcept {
  // Integer compare: a floating-point one may set flags.
  const __m256i magnitude =
      _mm256_and_si256(_mm256_castps_si256(value), _mm256_set1_epi32(0x7fffffff));
  const __m256i nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f800000));
  return _mm256_blendv_ps(value, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)),
                          _mm256_castsi256_ps(nan));
}

// Pairs along k of one operand pair: a[row] holds k = 2p and 2p + 1 side by side.
D1_AVX2 inline void store_steps(WideOperands& operands, unsigned pair, __m256i a,
                                __m256i b) noexcept {
  const __m256i high = _mm256_set1_epi32(static_cast<int>(0xffff0000));
  const auto put = [](float* to, __m256i value)
                       D1_AVX2 { _mm256_store_ps(to, _mm256_castsi256_ps(value)); };
  put(operands.a[2 * pair], _mm256_and_si256(a, high));
  put(operands.b[2 * pair], _mm256_and_si256(b, high));
  put(operands.a[2 * pair + 1], _mm256_slli_epi32(a, 16));
  put(operands.b[2 * pair + 1], _mm256_slli_epi32(b, 16));
}

// Splits the sixteen 32-bit pairs of A, [8][2], into those of pair 0 and those of pair 1.
D1_AVX2 inline void split_pairs(const void* a, __m256i& pair0, __m256i& pair1) noexcept {
  const auto* source = static_cast<const __m256i*>(a);
  const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  const __m256i low = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(source), order);
  const __m256i high = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(source + 1), order);
  pair0 = _mm256_permute2x128_si256(low, high, 0x20);
  pair1 = _mm256_permute2x128_si256(low, high, 0x31);
}

D1_AVX2 void run_steps(void* c, const WideOperands& operands, unsigned steps) noexcept {
  auto* rows = static_cast<float*>(c);
  __m256 sums[8];
  for (unsigned i = 0; i < 8; ++i) sums[i] = _mm256_loadu_ps(rows + 8 * i);
  for (unsigned s = 0; s < steps; ++s) {
    const __m256 b = _mm256_load_ps(operands.b[s]);
    for (unsigned i = 0; i < 8; ++i)
      sums[i] = _mm256_fmadd_ps(_mm256_broadcast_ss(&operands.a[s][i]), b, sums[i]);
  }
  for (unsigned i = 0; i < 8; ++i) _mm256_storeu_ps(rows + 8 * i, canonical(sums[i]));
}

// Codes of one CFloat8 format, one in each 16-bit lane, as BF16. Exact: BF16 has the range.
D1_AVX512 inline __m512i cf8_to_bf16(__m512i codes, PackedFormat format) noexcept {
  const unsigned mantissa_bits = format.packed == Packed::Cf143 ? 3 : 2;
  const int bias = format.bias;
  const int denormal_exponent = (format.denormals == DenormalRule::Ieee ? 1 : 0) - bias;
  const __m512i sign = _mm512_slli_epi16(_mm512_and_si512(codes, _mm512_set1_epi16(0x80)), 8);
  const __m512i magnitude = _mm512_and_si512(codes, _mm512_set1_epi16(0x7f));
  const __m512i normal = _mm512_add_epi16(
      _mm512_sll_epi16(magnitude, _mm_cvtsi32_si128(static_cast<int>(7 - mantissa_bits))),
      _mm512_set1_epi16(static_cast<short>((127 - bias) * 128)));
  // The numbers 0 to 7 as BF16, then scaled by 2^(denormal_exponent - mantissa_bits).
  const __m512i counts = _mm512_castsi128_si512(
      _mm_setr_epi16(0, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0));
  const __m512i scale = _mm512_set1_epi16(
      static_cast<short>((denormal_exponent - static_cast<int>(mantissa_bits)) * 128));
  const __m512i denormal =
      _mm512_maskz_add_epi16(_mm512_test_epi16_mask(magnitude, magnitude),
                             _mm512_permutexvar_epi16(magnitude, counts), scale);
  const __mmask32 is_denormal =
      _mm512_cmplt_epu16_mask(magnitude, _mm512_set1_epi16(static_cast<short>(1 << mantissa_bits)));
  return _mm512_or_si512(sign, _mm512_mask_mov_epi16(normal, is_denormal, denormal));
}

D1_AVX512 inline __m512 canonical(__m512 value) noexcept {
  constexpr int kQuietOrSignallingNan = 0x81;
  const __mmask16 nan = _mm512_fpclass_ps_mask(value, kQuietOrSignallingNan);
  return _mm512_mask_mov_ps(value, nan, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)));
}

D1_AVX512 inline __m512 dot(__m512 sum, __m512i a, __m512i b) noexcept {
  return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

// In each 128 bits, the 32-bit element that `index` names.
D1_AVX512 inline __m512i pick(__m512i row, __m512i index) noexcept {
  return _mm512_castps_si512(_mm512_permutevar_ps(_mm512_castsi512_ps(row), index));
}

}  // namespace

D1_AVX2 void accumulate_avx2(void* c, const WideOperands& operands, unsigned steps) noexcept {
  const HostFloatScope scope(HostFloatScope::kNearestFlushed);
  run_steps(c, operands, steps);
}

D1_AVX2 void mma_bf16_avx2(void* c, const void* a, const void* b) noexcept {
  WideOperands operands;
  __m256i pair0, pair1;
  split_pairs(a, pair0, pair1);
  const auto* pairs = static_cast<const __m256i*>(b);
  store_steps(operands, 0, pair0, _mm256_loadu_si256(pairs));
  store_steps(operands, 1, pair1, _mm256_loadu_si256(pairs + 1));
  accumulate_avx2(c, operands, 4);
}

D1_AVX2 void mma_f16_avx2(void* c, const void* a, const void* b) noexcept {
  const HostFloatScope scope(HostFloatScope::kNearestFlushed);
  // Sixteen-bit elements k of eight rows, gathered into one 128-bit register, become FP32.
  const __m256i pick = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
  const auto even_odd = [pick](__m256i pairs) D1_AVX2 {
    return _mm256_permute4x64_epi64(_mm256_shuffle_epi8(pairs, pick), 0xd8);
  };
  WideOperands operands;
  __m256i a_pairs[2];
  split_pairs(a, a_pairs[0], a_pairs[1]);
  for (unsigned pair = 0; pair < 2; ++pair) {
    const __m256i wa = even_odd(a_pairs[pair]);
    const __m256i wb = even_odd(_mm256_loadu_si256(static_cast<const __m256i*>(b) + pair));
    _mm256_store_ps(operands.a[2 * pair], _mm256_cvtph_ps(_mm256_extracti128_si256(wa, 1)));
    _mm256_store_ps(operands.b[2 * pair], _mm256_cvtph_ps(_mm256_extracti128_si256(wb, 1)));
    _mm256_store_ps(operands.a[2 * pair + 1], _mm256_cvtph_ps(_mm256_castsi256_si128(wa)));
    _mm256_store_ps(operands.b[2 * pair + 1], _mm256_cvtph_ps(_mm256_castsi256_si128(wb)));
  }
  asm volatile("" : : "r"(&operands) : "memory");  // the conversions stay within the scope
  run_steps(c, operands, 4);
}

D1_AVX512 void mma_bf16_avx512(void* c, const void* a, const void* b) noexcept {
  // Each 128 bits of A are two rows of two pairs. Everything is read first: C may overlap.
  __m512i rows[4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r)
    rows[r] = _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(a) + r));
  const auto* pairs = static_cast<const __m256i*>(b);
  const __m512i b0 = _mm512_broadcast_i64x4(_mm256_loadu_si256(pairs));
  const __m512i b1 = _mm512_broadcast_i64x4(_mm256_loadu_si256(pairs + 1));
  // Row 2r to the lower half, row 2r + 1 to the upper one.
  const __m512i pair0 = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi32(2), 1);
  const __m512i pair1 = _mm512_add_epi32(pair0, _mm512_set1_epi32(1));
  auto* values = static_cast<float*>(c);
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    __m512 sum = _mm512_loadu_ps(values + 16 * r);
    sum = dot(sum, pick(rows[r], pair0), b0);
    sum = dot(sum, pick(rows[r], pair1), b1);
    _mm512_storeu_ps(values + 16 * r, canonical(sum));
  }
}

// vdpbf16ps takes the odd element of a pair first, so pairs are stored with k ascending from it.
D1_AVX512 void mma_cf8_avx512(void* c, const void* a, const void* b, PackedFormat a_format,
                              PackedFormat b_format) noexcept {
  const auto* a_bytes = static_cast<const __m256i*>(a);
  __m512i wide_a[2];  // four rows each
  for (unsigned half = 0; half < 2; ++half)
    wide_a[half] = _mm512_rol_epi32(
        cf8_to_bf16(_mm512_cvtepu8_epi16(_mm256_loadu_si256(a_bytes + half)), a_format), 16);
  // Rows 2p and 2p + 1 of B, interleaved.
  const __m512i interleave =
      _mm512_broadcast_i32x4(_mm_setr_epi8(8, 0, 9, 1, 10, 2, 11, 3, 12, 4, 13, 5, 14, 6, 15, 7));
  const __m512i b_bytes = _mm512_shuffle_epi8(_mm512_loadu_si512(b), interleave);
  const __m512i b01 = cf8_to_bf16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(b_bytes)), b_format);
  const __m512i b23 =
      cf8_to_bf16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(b_bytes, 1)), b_format);
  const __m512i wide_b[4] = {
      _mm512_shuffle_i64x2(b01, b01, 0x44), _mm512_shuffle_i64x2(b01, b01, 0xee),
      _mm512_shuffle_i64x2(b23, b23, 0x44), _mm512_shuffle_i64x2(b23, b23, 0xee)};
  // Rows 2r and 2r + 1, 128 bits each, in the halves of a register.
  const __m512i rows[4] = {_mm512_shuffle_i32x4(wide_a[0], wide_a[0], 0x50),
                           _mm512_shuffle_i32x4(wide_a[0], wide_a[0], 0xfa),
                           _mm512_shuffle_i32x4(wide_a[1], wide_a[1], 0x50),
                           _mm512_shuffle_i32x4(wide_a[1], wide_a[1], 0xfa)};
  auto* values = static_cast<float*>(c);
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    __m512 sum = _mm512_loadu_ps(values + 16 * r);
    sum = dot(sum, _mm512_shuffle_epi32(rows[r], _MM_PERM_AAAA), wide_b[0]);
    sum = dot(sum, _mm512_shuffle_epi32(rows[r], _MM_PERM_BBBB), wide_b[1]);
    sum = dot(sum, _mm512_shuffle_epi32(rows[r], _MM_PERM_CCCC), wide_b[2]);
    sum = dot(sum, _mm512_shuffle_epi32(rows[r], _MM_PERM_DDDD), wide_b[3]);
    _mm512_storeu_ps(values + 16 * r, canonical(sum));
  }
}

}  // namespace d1::isa::numerics
#endif
