// SPDX-License-Identifier: Apache-2.0
// --engine and --stats of the commands that run code. What is given must live until the options are
// parsed; a name that stands for no engine is refused by the emulator, which knows them.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace d1::tools {

void add_engine_options(CLI::App& command, std::string& engine, bool& statistics);

}  // namespace d1::tools
