// SPDX-License-Identifier: Apache-2.0
// `d1 inspect`: the shell that looks into a device while it is used.
#include <d1/inspect/shell.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>

#include "command.hpp"

namespace d1::tools {
namespace {

struct InspectOptions {
  std::string target, verbs, script;
  bool json = false;
};

Result<int> inspect(const InspectOptions& options) {
  auto target = driver::open_debug_target(options.target);
  if (!target) return std::unexpected(std::move(target.error()));
  const bool colour = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  auto session = inspect::Session::open(std::move(*target), colour);
  if (!session) return std::unexpected(std::move(session.error()));
  const auto form = options.json ? inspect::Form::Json : inspect::Form::Text;
  Result<> done;
  if (!options.verbs.empty()) {
    done = inspect::run_line(**session, options.verbs, form);
  } else if (!options.script.empty()) {
    std::ifstream file(options.script);
    if (!file)
      return fail(ErrorKind::Invalid,
                  fmt::format("The script '{}' cannot be read.", options.script));
    done = inspect::run_script(**session, file, form);
  } else if (::isatty(STDIN_FILENO) != 0) {
    inspect::run_prompt(**session, std::cin, form);
  } else {
    done = inspect::run_script(**session, std::cin, form);
  }
  if (!done) return std::unexpected(std::move(done.error()));
  return kSuccess;
}

}  // namespace

void add_inspect(CLI::App& application, Action& action) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = application.add_subcommand(
      "inspect", "Look into a device while it is used: a shell, or verbs from a script.");
  command
      ->add_option("target", options->target,
                   "Socket of a DPU (NAME.sock, see d1 ps), or number of a process that emulates a "
                   "device with D1_DEBUG=1")
      ->required();
  CLI::Option* verbs =
      command->add_option("-c", options->verbs, "Verbs, as \"map; where die0\"; 'help' lists them")
          ->type_name("VERBS");
  command->add_option("--script", options->script, "File of lines of verbs")
      ->type_name("PATH")
      ->excludes(verbs);
  command->add_flag("--json", options->json, "A JSON document a line for each verb");
  command->callback([options, &action] { action = [options] { return inspect(*options); }; });
}

}  // namespace d1::tools
