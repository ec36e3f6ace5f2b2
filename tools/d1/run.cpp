// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include "command.hpp"
namespace d1::tools {
void add_run(CLI::App&, Action&) {}
}  // namespace d1::tools
