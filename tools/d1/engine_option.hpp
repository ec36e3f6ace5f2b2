// SPDX-License-Identifier: Apache-2.0
// --engine of the commands that run code. `engine` must live until the options are parsed; what
// stands for no engine is refused by the emulator, which knows the names.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace d1::tools {

void add_engine_option(CLI::App& command, std::string& engine);

}  // namespace d1::tools
