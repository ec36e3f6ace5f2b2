// SPDX-License-Identifier: Apache-2.0
#include "engine_options.hpp"

#include <CLI/CLI.hpp>

namespace d1::tools {

void add_engine_options(CLI::App& command, std::string& engine, bool& statistics) {
  command
      .add_option("--engine", engine,
                  "What carries instructions out: dbt, which translates them to host code; interp, "
                  "with the same results at another speed; or lockstep, which runs both and "
                  "compares them (default: $D1_ENGINE, or dbt)")
      ->option_text("NAME");
  command.add_flag("--stats", statistics,
                   "At the end, what the engine did: code decoded and translated, where translated "
                   "code was left, which instructions it called helpers for");
}

}  // namespace d1::tools
