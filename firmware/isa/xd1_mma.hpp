// SPDX-License-Identifier: Apache-2.0
// The implementations of the matrix products behind d1/isa/xd1_numerics.hpp, one set a level.
#pragma once

#include <cstring>

#include <d1/isa/xd1_numerics.hpp>

namespace d1::isa::numerics {

// Operands widened to FP32, in the order of accumulation: a[step][row], b[step][column].
struct WideOperands {
  alignas(64) float a[8][8];
  alignas(64) float b[8][8];
};

// c[i][j] = fma(a[s][i], b[s][j], c[i][j]) for s = 0, 1, .. steps - 1, with the rounding of xd1.md.
using Accumulate = void (*)(void* c, const WideOperands& operands, unsigned steps) noexcept;
void accumulate_portable(void* c, const WideOperands& operands, unsigned steps) noexcept;
void accumulate_avx2(void* c, const WideOperands& operands, unsigned steps) noexcept;

void mma_bf16_portable(void* c, const void* a, const void* b) noexcept;
void mma_f16_portable(void* c, const void* a, const void* b) noexcept;
void mma_cf8_widened(Accumulate accumulate, void* c, const void* a, const void* b,
                     PackedFormat a_format, PackedFormat b_format) noexcept;
void mma_cf16_widened(Accumulate accumulate, void* c, const void* a, const void* b,
                      PackedFormat a_format, PackedFormat b_format) noexcept;
void mma_bf16_avx2(void* c, const void* a, const void* b) noexcept;
void mma_f16_avx2(void* c, const void* a, const void* b) noexcept;
void mma_bf16_avx512(void* c, const void* a, const void* b) noexcept;
void mma_cf8_avx512(void* c, const void* a, const void* b, PackedFormat a_format,
                    PackedFormat b_format) noexcept;

// The host's floating-point environment is `control` while this lives, and as before afterwards.
// What is computed under it must pass through memory that the compiler cannot see through.
#if defined(__x86_64__)
class HostFloatScope {
 public:
  static constexpr unsigned kNearest = 0x1f80;                    // no exception unmasked
  static constexpr unsigned kNearestFlushed = kNearest | 0x8040;  // DAZ and FTZ

  explicit HostFloatScope(unsigned control) noexcept {
    asm volatile("stmxcsr %0" : "=m"(saved_) : : "memory");
    asm volatile("ldmxcsr %0" : : "m"(control) : "memory");
  }
  ~HostFloatScope() { asm volatile("ldmxcsr %0" : : "m"(saved_) : "memory"); }
  HostFloatScope(const HostFloatScope&) = delete;
  HostFloatScope& operator=(const HostFloatScope&) = delete;

 private:
  unsigned saved_ = 0;
};
#endif

}  // namespace d1::isa::numerics
