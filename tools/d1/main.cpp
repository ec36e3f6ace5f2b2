// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace d1::tools {
namespace {

int complain(const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "error: {}\n", text);
  return kFailure;
}

// Who reads documents gets one for a failure, too.
int fail_with(const CLI::App& application, const std::string& text) {
  for (const CLI::App* chosen : application.get_subcommands())
    if (const CLI::Option* json = chosen->get_option_no_throw("--json");
        json != nullptr && json->count() != 0 && !json_was_printed())
      print_json({{"error", text}});
  return complain(text);
}

int run(int count, char** words) {
  CLI::App application("Compile, run and look into programs for the D1 on an emulated machine.",
                       "d1");
  application.require_subcommand(1);
  application.set_version_flag("--version", D1_VERSION);
  Action action;
  add_run(application, action);
  add_build(application, action);
  add_disasm(application, action);
  add_exec(application, action);
  add_serve(application, action);
  add_ps(application, action);
  add_fault(application, action);
  add_inspect(application, action);
  add_info(application, action);
  add_doctor(application, action);
  // Set last, since subcommands take over what is there when they are made.
  application.footer("Each command explains itself: d1 run --help");
  try {
    application.parse(count, words);
  } catch (const CLI::Success& asked_for_help) {
    return application.exit(asked_for_help);
  } catch (const CLI::ParseError& wrong) {
    std::string command = "d1";
    for (const CLI::App* chosen : application.get_subcommands())
      command += " " + chosen->get_name();
    const bool unknown = command == "d1" && count > 1 && words[1][0] != '-';
    complain(fmt::format("{} (see {} --help)",
                         unknown ? fmt::format("There is no command {}", words[1]) : wrong.what(),
                         command));
    return kUsage;
  }
  try {
    Result<int> status = action();
    if (!status) return fail_with(application, status.error().to_string());
    if (std::fflush(stdout) != 0) return complain("Standard output cannot be written.");
    return *status;
  } catch (const std::bad_alloc&) {
    return fail_with(application, "resource exhausted: This host has not enough memory for that.");
  }
}

}  // namespace
}  // namespace d1::tools

int main(int count, char** words) {
  try {
    return d1::tools::run(count, words);
  } catch (const std::exception& unexpected) {
    return d1::tools::complain(unexpected.what());
  }
}
