// SPDX-License-Identifier: Apache-2.0
// -I and -D of the commands that compile kernels. `request` must live until the options are parsed.
#pragma once

#include <d1/runtime/compiler.hpp>

namespace CLI {
class App;
}

namespace d1::tools {

void add_compile_options(CLI::App& command, runtime::CompileRequest& request);

}  // namespace d1::tools
