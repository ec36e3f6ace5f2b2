// SPDX-License-Identifier: Apache-2.0
// All that a client does with a device, in a few lines: open, map, submit, wait, close.
#pragma once

#include <d1/d1.hpp>

#include <string>

namespace d1::test {

// Throws what a user would see; returns whether the results are right.
[[nodiscard]] bool use_device(const std::string& transport);

// The daemon may not have seen yet that the client before is gone.
[[nodiscard]] bool is_taken(const Error& error);

}  // namespace d1::test
