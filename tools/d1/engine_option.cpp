// SPDX-License-Identifier: Apache-2.0
#include "engine_option.hpp"

#include <CLI/CLI.hpp>

namespace d1::tools {

void add_engine_option(CLI::App& command, std::string& engine) {
  command
      .add_option("--engine", engine,
                  "What carries instructions out: interp, or dbt, which translates them to host "
                  "code; same results, other speed (default: $D1_ENGINE, or interp)")
      ->option_text("NAME");
}

}  // namespace d1::tools
