// SPDX-License-Identifier: Apache-2.0
// The framework of all vector semantics: legality checks, element and mask access, the policy for
// masked-off and tail elements. Private to firmware/isa/semantics. Nothing here owns or locks.
//
// The shape of an instruction:
//   1. checks: usable(), group_ok(), destination_ok(), the overlap rules; `return illegal(...)`.
//   2. const Body body = body_of(hart, operation);
//   3. the work, in ascending element order, one of
//        chunk by chunk: compute all elements of one 64-byte register into a local Chunk<T>, then
//          write_chunk() stores the active ones. Inactive ones are computed too, so only for
//          functions without side effects. This is what compilers vectorise.
//        element by element: for_each_active().
//        mask results: collect bits in a MaskBits, then write_mask() (which finishes, too).
//   4. return finish(hart, body, vd, element log2, emul): agnostic fill, vstart = 0, VS dirty.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include <semantics/vector_legality.hpp>

namespace d1::isa::vector {

// ---- Types by width ------------------------------------------------------------------------

template <unsigned Bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using Type = std::uint8_t;
};
template <>
struct UnsignedOf<2> {
  using Type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
  using Type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
  using Type = std::uint64_t;
};
__extension__ typedef unsigned __int128 Unsigned128;
__extension__ typedef __int128 Signed128;
template <>
struct UnsignedOf<16> {
  using Type = Unsigned128;
};

template <typename T>
using Signed = std::make_signed_t<T>;
// The unsigned type twice (half) as wide.
template <typename T>
using Wide = typename UnsignedOf<2 * sizeof(T)>::Type;
template <typename T>
using SignedWide = std::conditional_t<
    sizeof(T) == 8, Signed128,
    std::make_signed_t<std::conditional_t<sizeof(T) == 8, std::uint64_t, Wide<T>>>>;
template <typename T>
using Half = typename UnsignedOf<sizeof(T) / 2>::Type;

// Bits of an element type as a power of two, as in VectorType::sew_log2.
template <typename T>
inline constexpr unsigned kWidthLog2 = unsigned{std::bit_width(8 * sizeof(T))} - 1;

// Calls f(T{}) with the unsigned type of that width; the callee takes T from its argument.
template <typename F>
inline auto with_element(unsigned width_log2, F&& f) {
  switch (width_log2) {
    case 3:
      return f(std::uint8_t{});
    case 4:
      return f(std::uint16_t{});
    case 5:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

// The same for operations that also use elements twice as wide: 8 to 32 bits.
template <typename F>
inline auto with_narrow_element(unsigned width_log2, F&& f) {
  switch (width_log2) {
    case 3:
      return f(std::uint8_t{});
    case 4:
      return f(std::uint16_t{});
    default:
      return f(std::uint32_t{});
  }
}

// ---- Elements ------------------------------------------------------------------------------

// From the first byte of the group on: groups cross the rows of VectorRegisters::bytes.
[[nodiscard]] inline const std::uint8_t* bytes_of(const Hart& hart, unsigned reg) noexcept {
  return reinterpret_cast<const std::uint8_t*>(hart.v) + std::size_t{reg} * kVlenBytes;
}
[[nodiscard]] inline std::uint8_t* bytes_of(Hart& hart, unsigned reg) noexcept {
  return reinterpret_cast<std::uint8_t*>(hart.v) + std::size_t{reg} * kVlenBytes;
}

// Element `index` of the group that starts at `reg` (groups are contiguous).
template <typename T>
[[nodiscard]] inline T element(const Hart& hart, unsigned reg, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, bytes_of(hart, reg) + index * sizeof(T), sizeof(T));
  return value;
}
template <typename T>
inline void set_element(Hart& hart, unsigned reg, std::size_t index, T value) noexcept {
  std::memcpy(bytes_of(hart, reg) + index * sizeof(T), &value, sizeof(T));
}
// The same from a byte address (a register, or a buffer made by splat()).
template <typename T>
[[nodiscard]] inline T at(const std::uint8_t* bytes, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

// The results for one register.
template <typename T>
struct alignas(64) Chunk {
  static constexpr unsigned kElements = kVlenBytes / sizeof(T);
  T element[kElements];
};

// ---- Masks and the body --------------------------------------------------------------------

// Which elements an instruction works on: [start, end), those with a mask bit in v0 if masked.
struct Body {
  unsigned start;
  unsigned end;
  bool masked;
  [[nodiscard]] bool empty() const noexcept { return start >= end; }
  // All of [first, first + count) is active.
  [[nodiscard]] bool covers(unsigned first, unsigned count) const noexcept {
    return !masked && start <= first && first + count <= end;
  }
};

[[nodiscard]] inline Body body_of(const Hart& hart, const Operation& operation) noexcept {
  return {static_cast<unsigned>(hart.vstart), static_cast<unsigned>(hart.vl), !operation.vm()};
}
// For instructions whose vm bit is no mask enable (vmerge, vadc, ...).
[[nodiscard]] inline Body unmasked_body_of(const Hart& hart) noexcept {
  return {static_cast<unsigned>(hart.vstart), static_cast<unsigned>(hart.vl), false};
}

[[nodiscard]] inline bool mask_bit(const Hart& hart, unsigned reg, unsigned index) noexcept {
  return bytes_of(hart, reg)[index / 8] >> (index % 8) & 1;
}

// Bits [first, first + count) of a mask register; count <= 64 and first a multiple of it.
[[nodiscard]] inline std::uint64_t mask_bits(const Hart& hart, unsigned reg, unsigned first,
                                             unsigned count) noexcept {
  const std::uint64_t word = element<std::uint64_t>(hart, reg, first / 64) >> (first % 64);
  return count == 64 ? word : word & ((std::uint64_t{1} << count) - 1);
}

// One bit for each index of [first, first + count) that lies in [start, end); count <= 64.
[[nodiscard]] constexpr std::uint64_t range_bits(unsigned start, unsigned end, unsigned first,
                                                 unsigned count) noexcept {
  const unsigned low = start > first ? start - first : 0;
  const unsigned high = end > first ? (end - first < count ? end - first : count) : 0;
  if (low >= high) return 0;
  return (~std::uint64_t{0} >> (64 - (high - low))) << low;
}

// The active ones among elements [first, first + count); count <= 64 divides first.
[[nodiscard]] inline std::uint64_t active_bits(const Hart& hart, const Body& body, unsigned first,
                                               unsigned count) noexcept {
  const std::uint64_t range = range_bits(body.start, body.end, first, count);
  return body.masked ? range & mask_bits(hart, 0, first, count) : range;
}

// Calls f(index) for every active element in ascending order.
template <typename F>
inline void for_each_active(const Hart& hart, const Body& body, F&& f) {
  if (!body.masked) {
    for (unsigned index = body.start; index < body.end; ++index) f(index);
    return;
  }
  for (unsigned first = body.start & ~63U; first < body.end; first += 64)
    for (std::uint64_t bits = active_bits(hart, body, first, 64); bits != 0; bits &= bits - 1)
      f(first + static_cast<unsigned>(std::countr_zero(bits)));
}

// ---- Results -------------------------------------------------------------------------------

// Stores the active elements of register number `chunk` of the group at vd.
template <typename T>
inline void write_chunk(Hart& hart, const Body& body, unsigned vd, unsigned chunk,
                        const Chunk<T>& result) noexcept {
  constexpr unsigned n = Chunk<T>::kElements;
  std::uint8_t* const out = bytes_of(hart, vd + chunk);
  if (body.covers(chunk * n, n)) {
    std::memcpy(out, &result, kVlenBytes);
    return;
  }
  for (std::uint64_t bits = active_bits(hart, body, chunk * n, n); bits != 0; bits &= bits - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(bits));
    std::memcpy(out + index * sizeof(T), &result.element[index], sizeof(T));
  }
}

// Calls f(chunk) for each register of a group of T that holds elements of the body.
template <typename T, typename F>
inline void for_each_chunk(const Body& body, F&& f) {
  constexpr unsigned n = Chunk<T>::kElements;
  if (body.empty()) return;
  for (unsigned chunk = body.start / n; chunk * n < body.end; ++chunk) f(chunk);
}

// Ends an instruction: fills agnostic elements in the checking mode, vstart = 0, VS dirty.
// `element_log2` is the destination's element width, `emul_log2` its group size.
void fill_agnostic(Hart& hart, const Body& body, unsigned vd, unsigned element_log2,
                   int emul_log2) noexcept;
inline Outcome finish(Hart& hart, const Body& body, unsigned vd, unsigned element_log2,
                      int emul_log2) noexcept {
  if (agnostic_fill) [[unlikely]]
    fill_agnostic(hart, body, vd, element_log2, emul_log2);
  hart.vstart = 0;
  mark_vector_dirty(hart);
  return Outcome::Next;
}
// For instructions that write no vector register (stores, moves to x), or filled themselves.
inline Outcome finish(Hart& hart) noexcept {
  hart.vstart = 0;
  mark_vector_dirty(hart);
  return Outcome::Next;
}

// A mask being computed, one bit an element; only the body's bits need be meaningful.
struct MaskBits {
  std::uint64_t word[kVlenBits / 64] = {};
  // Sets bits [first, first + count): count <= 64 divides first; bits above count are zero.
  void put(unsigned first, std::uint64_t bits) noexcept { word[first / 64] |= bits << first % 64; }
};

// Stores the active bits of a mask result in vd and finishes: a mask's tail is always agnostic.
Outcome write_mask(Hart& hart, const Body& body, unsigned vd, const MaskBits& result) noexcept;

}  // namespace d1::isa::vector
