// SPDX-License-Identifier: Apache-2.0
// Short names for how commands end.
#pragma once

#include "dip/dip.hpp"

namespace d1::emulator {

inline CommandResult done(std::uint64_t end) { return {CommandResult::Done, D1_STATUS_OK, 0, end}; }
inline CommandResult pending() { return {CommandResult::Pending, D1_STATUS_OK, 0, 0}; }
inline CommandResult failed(d1_status status, std::uint64_t detail) {
  return {CommandResult::Done, status, detail, 0};
}
inline CommandResult bad_field(std::uint64_t offset) {
  return failed(D1_STATUS_BAD_FIELD, offset);
}

}  // namespace d1::emulator
