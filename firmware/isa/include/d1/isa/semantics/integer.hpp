// SPDX-License-Identifier: Apache-2.0
// Semantics of RV64I, M and Zicond. Contract of all semantics: semantics/common.hpp.
#pragma once

#include <limits>
#include <type_traits>

#include <d1/isa/semantics/common.hpp>

namespace d1::isa {

// Results of 32-bit operations are sign-extended to the register.
[[nodiscard]] constexpr std::uint64_t sign_extend_word(std::uint64_t value) noexcept {
  return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(value)});
}

// Upper halves of the 128-bit product.
[[nodiscard]] constexpr std::uint64_t multiply_high(std::int64_t a, std::int64_t b) noexcept {
  __extension__ using Wide = __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> 64);
}
[[nodiscard]] constexpr std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> 64);
}
[[nodiscard]] constexpr std::uint64_t multiply_high(std::int64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * static_cast<Wide>(b) >> 64);
}

// Division never traps: by zero gives all ones and the dividend, overflow the dividend and 0.
template <typename T>
[[nodiscard]] constexpr T divide(T a, T b) noexcept {
  if (b == 0) return static_cast<T>(-1);
  if constexpr (std::numeric_limits<T>::is_signed)
    if (a == std::numeric_limits<T>::min() && b == -1) return a;
  return static_cast<T>(a / b);
}
template <typename T>
[[nodiscard]] constexpr T remainder(T a, T b) noexcept {
  if (b == 0) return a;
  if constexpr (std::numeric_limits<T>::is_signed)
    if (b == -1) return 0;
  return static_cast<T>(a % b);
}

namespace exec {

// a and b are the sources as uint64_t; the expression is the result.
#define D1_REGISTER_REGISTER(name, expression)                         \
  inline Outcome name(Hart& hart, const Operation& operation) {        \
    const std::uint64_t a = hart.x[operation.rs1];                     \
    const std::uint64_t b = hart.x[operation.rs2];                     \
    set_x(hart, operation.rd, static_cast<std::uint64_t>(expression)); \
    return Outcome::Next;                                              \
  }
#define D1_REGISTER_IMMEDIATE(name, expression)                        \
  inline Outcome name(Hart& hart, const Operation& operation) {        \
    const std::uint64_t a = hart.x[operation.rs1];                     \
    const auto b = static_cast<std::uint64_t>(operation.immediate);    \
    set_x(hart, operation.rd, static_cast<std::uint64_t>(expression)); \
    return Outcome::Next;                                              \
  }
// The same operation in both forms.
#define D1_BOTH(name, name_immediate, expression) \
  D1_REGISTER_REGISTER(name, expression)          \
  D1_REGISTER_IMMEDIATE(name_immediate, expression)

#define D1_SIGNED(value) static_cast<std::int64_t>(value)
#define D1_WORD(value) static_cast<std::uint32_t>(value)
#define D1_SIGNED_WORD(value) static_cast<std::int32_t>(value)

D1_BOTH(add, addi, a + b)
D1_BOTH(slt, slti, D1_SIGNED(a) < D1_SIGNED(b))
D1_BOTH(sltu, sltiu, a < b)
D1_BOTH(xor_, xori, a ^ b)
D1_BOTH(or_, ori, a | b)
D1_BOTH(and_, andi, a& b)
D1_BOTH(sll, slli, a << (b & 63))
D1_BOTH(srl, srli, a >> (b & 63))
D1_BOTH(sra, srai, D1_SIGNED(a) >> (b & 63))
D1_REGISTER_REGISTER(sub, a - b)

D1_BOTH(addw, addiw, sign_extend_word(a + b))
D1_BOTH(sllw, slliw, sign_extend_word(D1_WORD(a) << (b & 31)))
D1_BOTH(srlw, srliw, sign_extend_word(D1_WORD(a) >> (b & 31)))
D1_BOTH(sraw, sraiw, std::int64_t{D1_SIGNED_WORD(a) >> (b & 31)})
D1_REGISTER_REGISTER(subw, sign_extend_word(a - b))

// M
D1_REGISTER_REGISTER(mul, a* b)
D1_REGISTER_REGISTER(mulh, multiply_high(D1_SIGNED(a), D1_SIGNED(b)))
D1_REGISTER_REGISTER(mulhsu, multiply_high(D1_SIGNED(a), b))
D1_REGISTER_REGISTER(mulhu, multiply_high(a, b))
D1_REGISTER_REGISTER(div, divide(D1_SIGNED(a), D1_SIGNED(b)))
D1_REGISTER_REGISTER(divu, divide(a, b))
D1_REGISTER_REGISTER(rem, remainder(D1_SIGNED(a), D1_SIGNED(b)))
D1_REGISTER_REGISTER(remu, remainder(a, b))
D1_REGISTER_REGISTER(mulw, sign_extend_word(a* b))
D1_REGISTER_REGISTER(divw, std::int64_t{divide(D1_SIGNED_WORD(a), D1_SIGNED_WORD(b))})
D1_REGISTER_REGISTER(divuw, sign_extend_word(divide(D1_WORD(a), D1_WORD(b))))
D1_REGISTER_REGISTER(remw, std::int64_t{remainder(D1_SIGNED_WORD(a), D1_SIGNED_WORD(b))})
D1_REGISTER_REGISTER(remuw, sign_extend_word(remainder(D1_WORD(a), D1_WORD(b))))

// Zicond
D1_REGISTER_REGISTER(czero_eqz, b == 0 ? 0 : a)
D1_REGISTER_REGISTER(czero_nez, b != 0 ? 0 : a)

// Branches: targets are even by their encoding, so no fetch is ever misaligned.
#define D1_BRANCH(name, condition)                                                         \
  inline Outcome name(Hart& hart, const Operation& operation) {                            \
    const std::uint64_t a = hart.x[operation.rs1];                                         \
    const std::uint64_t b = hart.x[operation.rs2];                                         \
    hart.pc = (condition) ? operation.pc + static_cast<std::uint64_t>(operation.immediate) \
                          : operation.next_pc();                                           \
    return Outcome::Jump;                                                                  \
  }
D1_BRANCH(beq, a == b)
D1_BRANCH(bne, a != b)
D1_BRANCH(blt, D1_SIGNED(a) < D1_SIGNED(b))
D1_BRANCH(bge, D1_SIGNED(a) >= D1_SIGNED(b))
D1_BRANCH(bltu, a < b)
D1_BRANCH(bgeu, a >= b)

#undef D1_BRANCH
#undef D1_SIGNED_WORD
#undef D1_WORD
#undef D1_SIGNED
#undef D1_BOTH
#undef D1_REGISTER_IMMEDIATE
#undef D1_REGISTER_REGISTER

inline Outcome lui(Hart& hart, const Operation& operation) {
  set_x(hart, operation.rd, static_cast<std::uint64_t>(operation.immediate));
  return Outcome::Next;
}

inline Outcome auipc(Hart& hart, const Operation& operation) {
  set_x(hart, operation.rd, operation.pc + static_cast<std::uint64_t>(operation.immediate));
  return Outcome::Next;
}

inline Outcome jal(Hart& hart, const Operation& operation) {
  set_x(hart, operation.rd, operation.next_pc());
  hart.pc = operation.pc + static_cast<std::uint64_t>(operation.immediate);
  return Outcome::Jump;
}

inline Outcome jalr(Hart& hart, const Operation& operation) {
  const std::uint64_t target =
      hart.x[operation.rs1] + static_cast<std::uint64_t>(operation.immediate);
  set_x(hart, operation.rd, operation.next_pc());
  hart.pc = target & ~std::uint64_t{1};
  return Outcome::Jump;
}

// T says width and extension of the value loaded.
template <typename T>
inline Outcome load_integer(Hart& hart, const Operation& operation) {
  std::make_unsigned_t<T> value;
  const std::uint64_t address =
      hart.x[operation.rs1] + static_cast<std::uint64_t>(operation.immediate);
  const Outcome outcome = load(hart, operation, address, value);
  if (outcome == Outcome::Next) [[likely]]
    set_x(hart, operation.rd,
          static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<T>(value))));
  return outcome;
}
template <typename T>
inline Outcome store_integer(Hart& hart, const Operation& operation) {
  const std::uint64_t address =
      hart.x[operation.rs1] + static_cast<std::uint64_t>(operation.immediate);
  return store(hart, operation, address, static_cast<T>(hart.x[operation.rs2]));
}

inline Outcome lb(Hart& h, const Operation& o) { return load_integer<std::int8_t>(h, o); }
inline Outcome lh(Hart& h, const Operation& o) { return load_integer<std::int16_t>(h, o); }
inline Outcome lw(Hart& h, const Operation& o) { return load_integer<std::int32_t>(h, o); }
inline Outcome ld(Hart& h, const Operation& o) { return load_integer<std::int64_t>(h, o); }
inline Outcome lbu(Hart& h, const Operation& o) { return load_integer<std::uint8_t>(h, o); }
inline Outcome lhu(Hart& h, const Operation& o) { return load_integer<std::uint16_t>(h, o); }
inline Outcome lwu(Hart& h, const Operation& o) { return load_integer<std::uint32_t>(h, o); }
inline Outcome sb(Hart& h, const Operation& o) { return store_integer<std::uint8_t>(h, o); }
inline Outcome sh(Hart& h, const Operation& o) { return store_integer<std::uint16_t>(h, o); }
inline Outcome sw(Hart& h, const Operation& o) { return store_integer<std::uint32_t>(h, o); }
inline Outcome sd(Hart& h, const Operation& o) { return store_integer<std::uint64_t>(h, o); }

}  // namespace exec
}  // namespace d1::isa
