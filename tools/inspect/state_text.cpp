// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "verbs.hpp"

namespace d1::inspect {

std::string state_text(const d1_hart_report& hart) {
  switch (hart.status) {
    case D1_HART_RESET: return "in reset";
    case D1_HART_RUNNABLE: return "running";
    case D1_HART_STOPPED: return "stopped by a trap";
    default: break;
  }
  switch (hart.wait_kind) {
    case D1_WAIT_SEMAPHORE:
      return fmt::format("waiting for semaphore {} to hold {} (it holds {})", hart.wait_index,
                         hart.wait_amount, hart.wait_value);
    case D1_WAIT_NODE_BARRIER: return "waiting at a barrier of its node";
    case D1_WAIT_GRID_BARRIER: return "waiting at a barrier of the grid";
    case D1_WAIT_REMOTE_ACCESS: return "waiting for an access to another node or HBM";
    case D1_WAIT_TRANSFER: return "waiting for its transfers";
    case D1_WAIT_INTERRUPT: return "waiting for an interrupt";
    default: return "waiting";
  }
}

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
