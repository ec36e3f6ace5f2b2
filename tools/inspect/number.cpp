// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "verbs.hpp"

namespace d1::inspect {

Result<std::uint64_t> number_of(std::string_view text, std::string_view what) {
  const bool hexadecimal = text.starts_with("0x");
  const std::string_view digits = hexadecimal ? text.substr(2) : text;
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value,
                                    hexadecimal ? 16 : 10);
  if (!digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size())
    return value;
  return fail(ErrorKind::Invalid,
              fmt::format("'{}' is no {}; give a whole number, as 12 or 0x1f.", text, what));
}

}  // namespace d1::inspect
