// SPDX-License-Identifier: Apache-2.0
// Bytes as elements of a type, for people. Pure functions.
#pragma once

#include <d1/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1::inspect {

enum class ElementType : std::uint8_t { E8, E16, E32, E64, F32, F64, Bf16 };

// "e8", "e16", "e32", "e64", "f32", "f64", "bf16"; Invalid for other names.
[[nodiscard]] Result<ElementType> element_type_of(std::string_view name);
[[nodiscard]] bool names_element_type(std::string_view name) noexcept;
[[nodiscard]] std::size_t bytes_of(ElementType type) noexcept;
// One element: whole numbers in hexadecimal, with all digits.
[[nodiscard]] std::string text_of(ElementType type, std::span<const std::byte> element);
// The other way round. Invalid where the text is none, or does not fit.
[[nodiscard]] Result<std::vector<std::byte>> parse_element(ElementType type, std::string_view text);

}  // namespace d1::inspect
