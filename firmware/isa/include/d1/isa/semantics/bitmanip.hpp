// SPDX-License-Identifier: Apache-2.0
// Semantics of Zba, Zbb and Zbs. Contract of all semantics: semantics/common.hpp.
#pragma once

#include <algorithm>
#include <bit>

#include <d1/isa/semantics/integer.hpp>

namespace d1::isa {

// Every byte that is not 0 becomes 0xff.
[[nodiscard]] constexpr std::uint64_t or_combine_bytes(std::uint64_t value) noexcept {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const std::uint64_t high_bits = (((value & kLow) + kLow) | value) & ~kLow;
  return (high_bits >> 7) * 0xff;
}

namespace exec {

#define D1_BITS_REGISTER(name, expression)                             \
  inline Outcome name(Hart& hart, const Operation& operation) {        \
    const std::uint64_t a = hart.x[operation.rs1];                     \
    const std::uint64_t b = hart.x[operation.rs2];                     \
    set_x(hart, operation.rd, static_cast<std::uint64_t>(expression)); \
    return Outcome::Next;                                              \
  }
#define D1_BITS_IMMEDIATE(name, expression)                            \
  inline Outcome name(Hart& hart, const Operation& operation) {        \
    const std::uint64_t a = hart.x[operation.rs1];                     \
    const auto b = static_cast<std::uint64_t>(operation.immediate);    \
    set_x(hart, operation.rd, static_cast<std::uint64_t>(expression)); \
    return Outcome::Next;                                              \
  }
#define D1_BITS_UNARY(name, expression)                                \
  inline Outcome name(Hart& hart, const Operation& operation) {        \
    const std::uint64_t a = hart.x[operation.rs1];                     \
    set_x(hart, operation.rd, static_cast<std::uint64_t>(expression)); \
    return Outcome::Next;                                              \
  }
#define D1_BITS_BOTH(name, name_immediate, expression) \
  D1_BITS_REGISTER(name, expression)                   \
  D1_BITS_IMMEDIATE(name_immediate, expression)
#define D1_SIGNED(value) static_cast<std::int64_t>(value)
#define D1_WORD(value) static_cast<std::uint32_t>(value)

// Zba
D1_BITS_REGISTER(sh1add, (a << 1) + b)
D1_BITS_REGISTER(sh2add, (a << 2) + b)
D1_BITS_REGISTER(sh3add, (a << 3) + b)
D1_BITS_REGISTER(add_uw, D1_WORD(a) + b)
D1_BITS_REGISTER(sh1add_uw, (std::uint64_t{D1_WORD(a)} << 1) + b)
D1_BITS_REGISTER(sh2add_uw, (std::uint64_t{D1_WORD(a)} << 2) + b)
D1_BITS_REGISTER(sh3add_uw, (std::uint64_t{D1_WORD(a)} << 3) + b)
D1_BITS_IMMEDIATE(slli_uw, std::uint64_t{D1_WORD(a)} << (b & 63))

// Zbb
D1_BITS_REGISTER(andn, a & ~b)
D1_BITS_REGISTER(orn, a | ~b)
D1_BITS_REGISTER(xnor, ~(a ^ b))
D1_BITS_REGISTER(min, std::min(D1_SIGNED(a), D1_SIGNED(b)))
D1_BITS_REGISTER(minu, std::min(a, b))
D1_BITS_REGISTER(max, std::max(D1_SIGNED(a), D1_SIGNED(b)))
D1_BITS_REGISTER(maxu, std::max(a, b))
D1_BITS_REGISTER(rol, std::rotl(a, static_cast<int>(b & 63)))
D1_BITS_BOTH(ror, rori, std::rotr(a, static_cast<int>(b & 63)))
D1_BITS_REGISTER(rolw, sign_extend_word(std::rotl(D1_WORD(a), static_cast<int>(b & 31))))
D1_BITS_BOTH(rorw, roriw, sign_extend_word(std::rotr(D1_WORD(a), static_cast<int>(b & 31))))
D1_BITS_UNARY(clz, std::countl_zero(a))
D1_BITS_UNARY(ctz, std::countr_zero(a))
D1_BITS_UNARY(cpop, std::popcount(a))
D1_BITS_UNARY(clzw, std::countl_zero(D1_WORD(a)))
D1_BITS_UNARY(ctzw, std::countr_zero(D1_WORD(a)))
D1_BITS_UNARY(cpopw, std::popcount(D1_WORD(a)))
D1_BITS_UNARY(sext_b, std::int64_t{static_cast<std::int8_t>(a)})
D1_BITS_UNARY(sext_h, std::int64_t{static_cast<std::int16_t>(a)})
D1_BITS_UNARY(zext_h, static_cast<std::uint16_t>(a))
D1_BITS_UNARY(orc_b, or_combine_bytes(a))
D1_BITS_UNARY(rev8, __builtin_bswap64(a))

// Zbs
D1_BITS_BOTH(bclr, bclri, a & ~(std::uint64_t{1} << (b & 63)))
D1_BITS_BOTH(bext, bexti, a >> (b & 63) & 1)
D1_BITS_BOTH(binv, binvi, a ^ std::uint64_t{1} << (b & 63))
D1_BITS_BOTH(bset, bseti, a | std::uint64_t{1} << (b & 63))

#undef D1_WORD
#undef D1_SIGNED
#undef D1_BITS_BOTH
#undef D1_BITS_UNARY
#undef D1_BITS_IMMEDIATE
#undef D1_BITS_REGISTER

}  // namespace exec
}  // namespace d1::isa
