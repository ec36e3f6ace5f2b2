// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/signature.hpp>

#include <fmt/format.h>

namespace d1::runtime {

std::string to_string(const ElementType& type) {
  switch (type.kind) {
    case ElementKind::Float:
      if (type.bytes == 4) return "float";
      if (type.bytes == 8) return "double";
      return fmt::format("{}-byte floating point", type.bytes);
    case ElementKind::Signed:
      return fmt::format("int{}", type.bytes * 8);
    case ElementKind::Unsigned:
      return fmt::format("uint{}", type.bytes * 8);
    case ElementKind::Boolean:
      return "bool";
    case ElementKind::Class:
      break;
  }
  if (type.name.empty()) return fmt::format("a type of {} bytes", type.bytes);
  return fmt::format("{} ({} bytes)", type.name, type.bytes);
}

std::string_view to_string(Placement placement) noexcept {
  switch (placement) {
    case Placement::OnNode:
      return "on_node";
    case Placement::Sharded:
      return "sharded";
    case Placement::Replicated:
      return "replicated";
    case Placement::Hbm:
      return "hbm";
  }
  return "unknown";
}

std::string to_string(const Signature& signature) {
  std::string text = signature.kernel + "(";
  for (std::size_t i = 0; i < signature.parameters.size(); ++i) {
    const Parameter& parameter = signature.parameters[i];
    if (i > 0) text += ", ";
    text += parameter.type_name;
    if (!parameter.name.empty()) text += " " + parameter.name;
  }
  return text + ")";
}

}  // namespace d1::runtime
