// SPDX-License-Identifier: Apache-2.0
// Completion statuses of the device in words. Pure functions; nothing is kept, nothing waits.
#pragma once

#include <d1/base/error.hpp>

#include <cstdint>
#include <string_view>

namespace d1::driver {

// "copy", "launch", ...; "unknown command" for what the contract does not know.
[[nodiscard]] std::string_view command_name(std::uint8_t opcode) noexcept;

// The error of a completion whose status is not D1_STATUS_OK: a full sentence with its detail.
[[nodiscard]] Error status_error(std::uint8_t opcode, std::uint16_t status, std::uint64_t detail);

}  // namespace d1::driver
