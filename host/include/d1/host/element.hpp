// SPDX-License-Identifier: Apache-2.0
// Element types of buffers, as the host stores them and as a kernel's signature names them.
#pragma once

#include <d1/runtime/arguments.hpp>
#include <d1/runtime/signature.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace d1 {

// Brain floating point: the upper half of a float. Storage; conversion rounds to nearest even.
struct bf16 {
  std::uint16_t bits = 0;

  bf16() = default;
  constexpr bf16(float value) noexcept : bits(round(std::bit_cast<std::uint32_t>(value))) {}
  constexpr operator float() const noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

 private:
  static constexpr std::uint16_t round(std::uint32_t value) noexcept {
    if ((value & 0x7fffffff) > 0x7f800000) return 0x7fc0;  // NaN: the canonical one
    return static_cast<std::uint16_t>((value + 0x7fff + (value >> 16 & 1)) >> 16);
  }
};

namespace detail {

// std::byte is raw memory: it fits any element type of a kernel. A class fits one of its size; bf16
// only its namesake.
template <typename T>
[[nodiscard]] constexpr runtime::ElementType element_type() noexcept {
  using runtime::ElementKind;
  static_assert(std::is_trivially_copyable_v<T>, "elements of a buffer are plain data");
  constexpr auto bytes = static_cast<std::uint32_t>(sizeof(T));
  if constexpr (std::is_same_v<T, std::byte>) {
    return {ElementKind::Class, 0, {}};
  } else if constexpr (std::is_same_v<T, bf16>) {
    return {ElementKind::Class, bytes, "bf16"};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {ElementKind::Boolean, bytes, {}};
  } else if constexpr (std::is_enum_v<T>) {
    return element_type<std::underlying_type_t<T>>();
  } else if constexpr (std::is_floating_point_v<T>) {
    return {ElementKind::Float, bytes, {}};
  } else if constexpr (std::is_integral_v<T>) {
    return {std::is_signed_v<T> ? ElementKind::Signed : ElementKind::Unsigned, bytes, {}};
  } else {
    return {ElementKind::Class, bytes, {}};
  }
}

template <typename T>
requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) [[nodiscard]] runtime::Argument
    to_argument(T value) noexcept {
  if constexpr (std::is_enum_v<T>) {
    return to_argument(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<std::int64_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

}  // namespace detail
}  // namespace d1
