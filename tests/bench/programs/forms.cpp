// SPDX-License-Identifier: Apache-2.0
#include "forms.hpp"

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "program.hpp"

namespace {

using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// No multiple of what fits into registers.
constexpr std::size_t kLength = 4103, kWide = 4 * kLength, kWidest = 8 * kLength;

// Floating-point numbers are small integers: sums and products are exact in any order.
struct Inputs {
  alignas(64) s8 s8a[kLength], s8b[kLength];
  alignas(64) u8 u8a[kWidest], u8b[kWide], table[256];
  alignas(64) s16 s16a[kWidest], s16b[kLength];
  alignas(64) u16 u16a[kLength], u16b[kLength];
  alignas(64) s32 s32a[kLength], s32b[kLength];
  alignas(64) u32 u32a[kLength], u32b[kLength], place[kLength];  // place: each once
  alignas(64) s64 s64a[kLength], s64b[kLength], place64[kLength];
  alignas(64) u64 u64a[kLength], u64b[kLength];
  alignas(64) float f32a[kWide], f32b[kWide], f32c[kLength];  // c: not below zero
  alignas(64) double f64a[kWide], f64b[kLength], f64c[kLength];
  std::size_t length;
} in;

struct Outputs {
  alignas(64) u8 u8[kWide];
  alignas(64) std::int16_t s16[kWide];
  alignas(64) std::int32_t s32[kLength + 1];
  alignas(64) std::int64_t s64[kLength];
  alignas(64) float f32[kWide];
  alignas(64) double f64[kLength];
} out;

template <typename T>
T smaller(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
T larger(T a, T b) {
  return a > b ? a : b;
}
template <typename T>
T clip(T value, T low, T high) {
  return smaller(larger(value, low), high);
}

#define D1_LOOP(name, ...)                                         \
  [[gnu::noinline]] void name(std::size_t n) {                     \
    for (std::size_t i = 0; i < n; ++i) {                          \
      __VA_ARGS__;                                                 \
    }                                                              \
  }
// A sum that starts at zero and ends at `to`.
#define D1_SUM(name, type, to, ...)                                \
  [[gnu::noinline]] void name(std::size_t n) {                     \
    type sum = 0;                                                  \
    for (std::size_t i = 0; i < n; ++i) {                          \
      __VA_ARGS__;                                                 \
    }                                                              \
    to = static_cast<std::remove_reference_t<decltype(to)>>(sum);  \
  }
#include "forms.inc"
#undef D1_LOOP
#undef D1_SUM

struct Form {
  const char* name;
  void (*work)(std::size_t n);
};
#define D1_LOOP(name, ...) {#name, name},
#define D1_SUM(name, ...) {#name, name},
constexpr Form kForms[] = {
#include "forms.inc"
};
#undef D1_LOOP
#undef D1_SUM

template <typename T, std::size_t N>
void fill(T (&values)[N], unsigned bits = 8 * sizeof(T)) {
  static u64 state = 1;
  for (T& value : values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<T>(static_cast<s64>(state) >> (64 - bits));
  }
}

void prepare() {
  fill(in.s8a), fill(in.s8b), fill(in.u8a), fill(in.u8b), fill(in.table);
  fill(in.s16a), fill(in.s16b), fill(in.u16a), fill(in.u16b);
  fill(in.s32a, 24), fill(in.s32b, 20), fill(in.u32a), fill(in.u32b);
  fill(in.s64a), fill(in.s64b), fill(in.u64a), fill(in.u64b);
  d1::bench::fill_with_small_integers(in.f32a, kWide, 1);
  d1::bench::fill_with_small_integers(in.f32b, kWide, 2);
  d1::bench::fill_with_small_integers(in.f64a, kWide, 3);
  d1::bench::fill_with_small_integers(in.f64b, kLength, 4);
  for (std::size_t i = 0; i < kLength; ++i) {
    in.f32c[i] = static_cast<float>(i % 31);
    in.f64c[i] = static_cast<double>(i % 37);
    in.place[i] = static_cast<u32>(i * 1237 % kLength);  // no common factor
    in.place64[i] = static_cast<s64>(i * 911 % kLength);
  }
  in.length = kLength - 8;  // some loops look a bit further
}

// Changes with each word and its place.
u64 sum_of_outputs() {
  u64 sum = 0;
  for (std::size_t at = 0; at + sizeof sum <= sizeof out; at += sizeof sum) {
    u64 word;
    std::memcpy(&word, reinterpret_cast<const char*>(&out) + at, sizeof word);
    sum = (sum << 1 | sum >> 63) ^ word;
  }
  return sum;
}

}  // namespace

extern "C" std::uint64_t d1_bench_forms(std::uint64_t form, std::uint64_t iterations) {
  static bool prepared = false;
  if (!prepared) prepare();
  prepared = true;
  std::memset(&out, 0, sizeof out);
  for (std::uint64_t i = 0; i < iterations; ++i) {
    d1::bench::touch(&in);
    kForms[form].work(in.length);
    d1::bench::touch(&out);
  }
  return sum_of_outputs();
}

extern "C" const char* d1_bench_form_name(std::uint64_t form) {
  return form < sizeof kForms / sizeof *kForms ? kForms[form].name : nullptr;
}
