// SPDX-License-Identifier: Apache-2.0
// What a kernel takes: names and types of its parameters, as its debug information states them.
// Plain values; nothing here waits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace d1::runtime {

enum class ElementKind : std::uint8_t { Float, Signed, Unsigned, Boolean, Class };

// The type of a scalar, or of a buffer's elements.
struct ElementType {
  ElementKind kind = ElementKind::Class;
  std::uint32_t bytes = 0;
  std::string_view name;  // of the class; for other kinds only for people

  // Same representation. Classes are the same if their names are, or one has none.
  [[nodiscard]] bool matches(const ElementType& other) const noexcept {
    if (kind != other.kind || bytes != other.bytes) return false;
    return kind != ElementKind::Class || name.empty() || other.name.empty() || name == other.name;
  }
};

// "float", "uint16", "class bf16 (2 bytes)".
[[nodiscard]] std::string to_string(const ElementType& type);

enum class Placement : std::uint8_t { OnNode, Sharded, Replicated, Hbm };
[[nodiscard]] std::string_view to_string(Placement placement) noexcept;

enum class ParameterKind : std::uint8_t { Scalar, Pointer, Buffer };
enum class ElementAccess : std::uint8_t { ReadOnly, ReadWrite };

struct Parameter {
  std::string name;
  std::string type_name;  // as in the source, for people
  ParameterKind kind = ParameterKind::Scalar;
  Placement placement = Placement::Sharded;         // of a buffer
  ElementAccess access = ElementAccess::ReadWrite;  // of a buffer's elements
  ElementType type;                                 // scalar; element of buffer
  std::string element_name;                         // owns type.name

  Parameter() = default;
  Parameter(const Parameter& other) { *this = other; }
  Parameter& operator=(const Parameter& other) {
    name = other.name;
    type_name = other.type_name;
    kind = other.kind;
    placement = other.placement;
    access = other.access;
    type = other.type;
    element_name = other.element_name;
    type.name = element_name;
    return *this;
  }
};

struct Signature {
  std::string kernel;
  std::vector<Parameter> parameters;
};

// "vector_add(d1::sharded<const float> a, ...)".
[[nodiscard]] std::string to_string(const Signature& signature);

}  // namespace d1::runtime
