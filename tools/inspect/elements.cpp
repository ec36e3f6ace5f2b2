// SPDX-License-Identifier: Apache-2.0
#include "elements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "verbs.hpp"

namespace d1::inspect {
namespace {

struct Named {
  std::string_view name;
  ElementType type;
  std::size_t bytes;
};
constexpr std::array kTypes = {
    Named{"e8", ElementType::E8, 1},   Named{"e16", ElementType::E16, 2},
    Named{"e32", ElementType::E32, 4}, Named{"e64", ElementType::E64, 8},
    Named{"f32", ElementType::F32, 4}, Named{"f64", ElementType::F64, 8},
    Named{"bf16", ElementType::Bf16, 2}};

bool is_float(ElementType type) noexcept { return type >= ElementType::F32; }

}  // namespace

bool names_element_type(std::string_view name) noexcept {
  return std::ranges::find(kTypes, name, &Named::name) != kTypes.end();
}

Result<ElementType> element_type_of(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &Named::name);
  if (found != kTypes.end()) return found->type;
  return fail(ErrorKind::Invalid,
              fmt::format("There is no type '{}'; there are e8, e16, e32, e64, f32, f64 and bf16.",
                          name));
}

std::size_t bytes_of(ElementType type) noexcept {
  return std::ranges::find(kTypes, type, &Named::type)->bytes;
}

std::string text_of(ElementType type, std::span<const std::byte> element) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, element.data(), std::min(element.size(), sizeof bits));
  switch (type) {
    case ElementType::F32: return fmt::format("{}", std::bit_cast<float>(
                                                        static_cast<std::uint32_t>(bits)));
    case ElementType::F64: return fmt::format("{}", std::bit_cast<double>(bits));
    case ElementType::Bf16:
      return fmt::format("{}", std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
    default: return fmt::format("{:0{}x}", bits, 2 * bytes_of(type));
  }
}

Result<std::vector<std::byte>> parse_element(ElementType type, std::string_view text) {
  std::uint64_t bits = 0;
  const std::size_t bytes = bytes_of(type);
  if (is_float(type)) {
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
      return fail(ErrorKind::Invalid, fmt::format("'{}' is no number.", text));
    const auto narrow = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    // To nearest, even if two are as near.
    if (type == ElementType::Bf16) bits = (narrow + 0x7fffu + (narrow >> 16 & 1)) >> 16;
    else bits = type == ElementType::F64 ? std::bit_cast<std::uint64_t>(value) : narrow;
  } else {
    auto value = number_of(text, "value");
    if (!value) return std::unexpected(std::move(value.error()));
    if (bytes < 8 && *value >> (8 * bytes) != 0)
      return fail(ErrorKind::Invalid,
                  fmt::format("{} does not fit into {} bytes; give another type, as e64.", text,
                              bytes));
    bits = *value;
  }
  std::vector<std::byte> element(bytes);
  std::memcpy(element.data(), &bits, bytes);
  return element;
}

}  // namespace d1::inspect
