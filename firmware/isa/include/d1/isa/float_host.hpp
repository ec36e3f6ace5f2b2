// SPDX-License-Identifier: Apache-2.0
// Single host float instructions on raw bits, rounding and flags as MXCSR says. Volatile asm: the
// compiler neither moves them across changes of MXCSR, nor drops one whose flags are all that is
// wanted. Results may be NaNs of any payload. Only inside a FloatScope, on its thread.
#pragma once

#include <bit>

#include <d1/isa/float_format.hpp>

namespace d1::isa::host {

// True if the host has FMA3 (and the operating system keeps its registers).
[[nodiscard]] bool detect_fma() noexcept;
inline const bool has_fma = detect_fma();

#define D1_HOST_BINARY(name, mnemonic)                                                      \
  [[nodiscard]] inline std::uint32_t name(F32, std::uint32_t a, std::uint32_t b) noexcept { \
    float result = std::bit_cast<float>(a);                                                 \
    asm volatile(mnemonic "ss %1, %0" : "+x"(result) : "x"(std::bit_cast<float>(b)));       \
    return std::bit_cast<std::uint32_t>(result);                                            \
  }                                                                                         \
  [[nodiscard]] inline std::uint64_t name(F64, std::uint64_t a, std::uint64_t b) noexcept { \
    double result = std::bit_cast<double>(a);                                               \
    asm volatile(mnemonic "sd %1, %0" : "+x"(result) : "x"(std::bit_cast<double>(b)));      \
    return std::bit_cast<std::uint64_t>(result);                                            \
  }
D1_HOST_BINARY(add, "add")
D1_HOST_BINARY(subtract, "sub")
D1_HOST_BINARY(multiply, "mul")
D1_HOST_BINARY(divide, "div")
#undef D1_HOST_BINARY

[[nodiscard]] inline std::uint32_t square_root(F32, std::uint32_t a) noexcept {
  float result = std::bit_cast<float>(a);
  asm volatile("sqrtss %0, %0" : "+x"(result));
  return std::bit_cast<std::uint32_t>(result);
}
[[nodiscard]] inline std::uint64_t square_root(F64, std::uint64_t a) noexcept {
  double result = std::bit_cast<double>(a);
  asm volatile("sqrtsd %0, %0" : "+x"(result));
  return std::bit_cast<std::uint64_t>(result);
}

// a * b + c; only where has_fma.
[[nodiscard]] inline std::uint32_t multiply_add(F32, std::uint32_t a, std::uint32_t b,
                                                std::uint32_t c) noexcept {
  float result = std::bit_cast<float>(a);
  asm volatile("vfmadd213ss %2, %1, %0"
               : "+x"(result)
               : "x"(std::bit_cast<float>(b)), "x"(std::bit_cast<float>(c)));
  return std::bit_cast<std::uint32_t>(result);
}
[[nodiscard]] inline std::uint64_t multiply_add(F64, std::uint64_t a, std::uint64_t b,
                                                std::uint64_t c) noexcept {
  double result = std::bit_cast<double>(a);
  asm volatile("vfmadd213sd %2, %1, %0"
               : "+x"(result)
               : "x"(std::bit_cast<double>(b)), "x"(std::bit_cast<double>(c)));
  return std::bit_cast<std::uint64_t>(result);
}

[[nodiscard]] inline std::uint64_t widen(std::uint32_t a) noexcept {
  double result = 0;
  asm volatile("cvtss2sd %1, %0" : "+x"(result) : "x"(std::bit_cast<float>(a)));
  return std::bit_cast<std::uint64_t>(result);
}
[[nodiscard]] inline std::uint32_t narrow(std::uint64_t a) noexcept {
  float result = 0;
  asm volatile("cvtsd2ss %1, %0" : "+x"(result) : "x"(std::bit_cast<double>(a)));
  return std::bit_cast<std::uint32_t>(result);
}

// Towards zero, whatever MXCSR says; the most negative number if the value does not fit I, which
// is std::int32_t or std::int64_t.
template <typename I>
[[nodiscard]] inline I truncate(F32, std::uint32_t a) noexcept {
  I result;
  asm volatile("cvttss2si %1, %0" : "=r"(result) : "x"(std::bit_cast<float>(a)));
  return result;
}
template <typename I>
[[nodiscard]] inline I truncate(F64, std::uint64_t a) noexcept {
  I result;
  asm volatile("cvttsd2si %1, %0" : "=r"(result) : "x"(std::bit_cast<double>(a)));
  return result;
}

}  // namespace d1::isa::host
