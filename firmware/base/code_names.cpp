// SPDX-License-Identifier: Apache-2.0
#include <d1/base/code_names.hpp>

#include <cxxabi.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>

namespace d1 {

namespace {

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  return name.starts_with("_Z") && status == 0 ? std::string(text.get()) : name;
}

}  // namespace

CodeNames::CodeNames(std::vector<NamedFunction> functions) : functions_(std::move(functions)) {
  std::ranges::stable_sort(functions_, {}, &NamedFunction::address);
  for (NamedFunction& function : functions_) function.name = demangled(function.name);
}

std::string CodeNames::place(std::uint64_t address) const {
  const auto behind = std::ranges::upper_bound(functions_, address, {}, &NamedFunction::address);
  if (behind == functions_.begin()) return {};
  const NamedFunction& function = *std::prev(behind);
  const std::uint64_t offset = address - function.address;
  if (offset == 0) return function.name;
  if (function.bytes != 0 && offset >= function.bytes) return {};
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), offset, 16).ptr;
  return function.name + "+0x" + std::string(digits, end);
}

}  // namespace d1
