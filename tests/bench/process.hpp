// SPDX-License-Identifier: Apache-2.0
// Other programs that measure something and report it in a line. Blocking: until they have ended.
#pragma once

#include <string>

namespace d1::bench {

// The first line of what a shell command prints, without its end; empty if there is none.
[[nodiscard]] std::string first_line_of(const std::string& command);

}  // namespace d1::bench
