// SPDX-License-Identifier: Apache-2.0
// What compiling kernels needs and where this program finds it. One thread.
#pragma once

#include <d1/base/error.hpp>
#include <string>
#include <vector>

namespace d1::tools {

// Full path of a program in PATH; empty if there is none.
[[nodiscard]] std::string find_program(const std::string& name);

// The arguments in a flags file of the SDK ("compile_flags.txt", "link_flags.txt").
[[nodiscard]] Result<std::vector<std::string>> toolchain_flags(const std::string& device_directory,
                                                               const std::string& name);

// Headers' folders, libraries and linker script that the flags name.
[[nodiscard]] std::vector<std::string> toolchain_files(const std::string& device_directory);

}  // namespace d1::tools
