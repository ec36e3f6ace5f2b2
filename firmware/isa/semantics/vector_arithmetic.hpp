// SPDX-License-Identifier: Apache-2.0
// Templates of the integer vector instructions: each takes the function of one element and does
// checks, operands, masks and tails around it. The forms .vv, .vx and .vi of an instruction share
// one instantiation: a scalar becomes a register full of copies. Private to this folder.
#pragma once

#include <semantics/vector_common.hpp>

namespace d1::isa::vector {

// Where the second operand (field rs1) comes from.
enum class Source : std::uint8_t { Vector, Scalar, Immediate, UnsignedImmediate };

template <typename T>
[[nodiscard]] inline T scalar_operand(const Hart& hart, const Operation& operation,
                                      Source source) noexcept {
  if (source == Source::Scalar) return static_cast<T>(hart.x[operation.rs1]);
  if (source == Source::UnsignedImmediate) return static_cast<T>(operation.rs1);
  const int value = operation.rs1;  // five bits, the sign on top
  return static_cast<T>(value >= 16 ? value - 32 : value);
}

// The second operand as bytes: of a register group, or of one register of copies of a scalar.
template <typename T>
class SecondOperand {
 public:
  SecondOperand(const Hart& hart, const Operation& operation, Source source) noexcept {
    if (source == Source::Vector) {
      base_ = bytes_of(hart, operation.rs1);
      vector_ = 1;
      return;
    }
    const T value = scalar_operand<T>(hart, operation, source);
    for (T& copy : copies_.element) copy = value;
    base_ = reinterpret_cast<const std::uint8_t*>(copies_.element);
    vector_ = 0;
  }
  SecondOperand(const SecondOperand&) = delete;
  SecondOperand& operator=(const SecondOperand&) = delete;

  // From byte `offset` of the group on, at least as far as the next 64-byte boundary.
  [[nodiscard]] const std::uint8_t* from(std::size_t offset) const noexcept {
    return base_ + offset * vector_;
  }
  [[nodiscard]] T get(std::size_t index) const noexcept { return at<T>(base_, index * vector_); }

 private:
  Chunk<T> copies_;
  const std::uint8_t* base_;
  std::size_t vector_;  // 1, or 0 for copies
};

[[nodiscard]] inline bool source_ok(const Operation& operation, Source source,
                                    int emul_log2) noexcept {
  return source != Source::Vector || group_ok(operation.rs1, emul_log2);
}

// vd, vs2 and vs1 of one width.
[[nodiscard]] inline bool same_width_ok(const Hart& hart, const Operation& operation,
                                        Source source) noexcept {
  const int emul = hart.vtype.lmul_log2;
  return usable(hart) && group_ok(operation.rd, emul) && group_ok(operation.rs2, emul) &&
         source_ok(operation, source, emul) && destination_ok(operation);
}

inline Outcome finish_same_width(Hart& hart, const Operation& operation,
                                 const Body& body) noexcept {
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

// vd[i] = f(vs2[i], second[i])
template <typename F>
[[gnu::noinline]] Outcome binary(Hart& hart, const Operation& operation, Source source, F f) {
  if (!same_width_ok(hart, operation, source)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    const SecondOperand<T> second(hart, operation, source);
    for_each_chunk<T>(body, [&](unsigned chunk) {
      const std::uint8_t* const a = bytes_of(hart, operation.rs2 + chunk);
      const std::uint8_t* const b = second.from(chunk * kVlenBytes);
      Chunk<T> result;
      for (unsigned i = 0; i < Chunk<T>::kElements; ++i)
        result.element[i] = f(at<T>(a, i), at<T>(b, i));
      write_chunk(hart, body, operation.rd, chunk, result);
    });
  });
  return finish_same_width(hart, operation, body);
}

// vd[i] = f(vd[i], second[i], vs2[i])
template <typename F>
[[gnu::noinline]] Outcome ternary(Hart& hart, const Operation& operation, Source source, F f) {
  if (!same_width_ok(hart, operation, source)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    const SecondOperand<T> second(hart, operation, source);
    for_each_chunk<T>(body, [&](unsigned chunk) {
      const std::uint8_t* const d = bytes_of(hart, operation.rd + chunk);
      const std::uint8_t* const a = second.from(chunk * kVlenBytes);
      const std::uint8_t* const b = bytes_of(hart, operation.rs2 + chunk);
      Chunk<T> result;
      for (unsigned i = 0; i < Chunk<T>::kElements; ++i)
        result.element[i] = f(at<T>(d, i), at<T>(a, i), at<T>(b, i));
      write_chunk(hart, body, operation.rd, chunk, result);
    });
  });
  return finish_same_width(hart, operation, body);
}

// Eight bytes of 0 or 1 become eight bits.
[[nodiscard]] inline std::uint64_t pack_bits(std::uint64_t bytes) noexcept {
  return bytes * 0x0102040810204080 >> 56;
}

// Checks of an instruction that makes a mask from elements; vd may be v0.
[[nodiscard]] inline bool mask_result_ok(const Hart& hart, const Operation& operation,
                                         Source source) noexcept {
  const int emul = hart.vtype.lmul_log2;
  return usable(hart) && group_ok(operation.rs2, emul) && source_ok(operation, source, emul) &&
         narrowing_overlap_ok(operation.rd, 0, operation.rs2, emul) &&
         (source != Source::Vector || narrowing_overlap_ok(operation.rd, 0, operation.rs1, emul));
}

// vd.mask[i] = f(vs2[i], second[i], carry[i]): carry from v0, all zero unless `carries`.
enum class Carry : std::uint8_t { None, FromV0 };
template <typename F>
[[gnu::noinline]] Outcome make_mask(Hart& hart, const Operation& operation, Source source,
                                    const Body& body, Carry carry, F f) {
  MaskBits mask;
  with_element(hart.vtype.sew_log2, [&](auto zero) {
    using T = decltype(zero);
    constexpr unsigned n = Chunk<T>::kElements;
    const SecondOperand<T> second(hart, operation, source);
    for_each_chunk<T>(body, [&](unsigned chunk) {
      const std::uint8_t* const a = bytes_of(hart, operation.rs2 + chunk);
      const std::uint8_t* const b = second.from(chunk * kVlenBytes);
      const std::uint64_t in =
          carry == Carry::FromV0 ? mask_bits(hart, 0, chunk * n, n) : std::uint64_t{0};
      std::uint8_t truth[n];
      for (unsigned i = 0; i < n; ++i)
        truth[i] = f(at<T>(a, i), at<T>(b, i), static_cast<T>(in >> i & 1)) ? 1 : 0;
      std::uint64_t bits = 0;
      for (unsigned i = 0; i < n; i += 8) bits |= pack_bits(at<std::uint64_t>(truth, i / 8)) << i;
      mask.put(chunk * n, bits);
    });
  });
  return write_mask(hart, body, operation.rd, mask);
}

// vd.mask[i] = f(vs2[i], second[i])
template <typename F>
Outcome compare(Hart& hart, const Operation& operation, Source source, F f) {
  if (!mask_result_ok(hart, operation, source)) return illegal(hart, operation);
  return make_mask(hart, operation, source, body_of(hart, operation), Carry::None,
                   [f]<typename T>(T a, T b, T) { return f(a, b); });
}

}  // namespace d1::isa::vector

// Defines the semantics `id` as template(hart, operation, source, extra arguments...).
#define D1_VECTOR(id, form, source, ...)                                       \
  Outcome id(Hart& hart, const Operation& operation) {                         \
    return vector::form(hart, operation, vector::Source::source, __VA_ARGS__); \
  }
#define D1_VECTOR_VX(id, form, ...)           \
  D1_VECTOR(id##v, form, Vector, __VA_ARGS__) \
  D1_VECTOR(id##x, form, Scalar, __VA_ARGS__)
#define D1_VECTOR_VXI(id, form, ...)  \
  D1_VECTOR_VX(id, form, __VA_ARGS__) \
  D1_VECTOR(id##i, form, Immediate, __VA_ARGS__)
#define D1_VECTOR_VXU(id, form, ...)  \
  D1_VECTOR_VX(id, form, __VA_ARGS__) \
  D1_VECTOR(id##i, form, UnsignedImmediate, __VA_ARGS__)
