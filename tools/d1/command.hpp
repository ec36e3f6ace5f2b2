// SPDX-License-Identifier: Apache-2.0
// What the subcommands of `d1` share: how one registers itself, and how results are told.
// Each add_*() adds its subcommand to the application; when the command line names it, it leaves
// what is to be done in `action`. main() runs that, prints an error, and makes the exit status.
// One thread.
#pragma once

#include <d1/base/error.hpp>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace CLI {
class App;
}

namespace d1::tools {

// Exit statuses of d1 itself; `d1 exec` passes its guest's on.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;

using Action = std::function<Result<int>()>;  // the exit status, or what went wrong

void add_build(CLI::App& application, Action& action);
void add_disasm(CLI::App& application, Action& action);
void add_doctor(CLI::App& application, Action& action);
void add_exec(CLI::App& application, Action& action);
void add_fault(CLI::App& application, Action& action);
void add_info(CLI::App& application, Action& action);
void add_inspect(CLI::App& application, Action& action);
void add_ps(CLI::App& application, Action& action);
void add_run(CLI::App& application, Action& action);
void add_serve(CLI::App& application, Action& action);

// One JSON document on standard output. A command that fails before it has printed its own gets
// {"error": "..."} from main().
void print_json(const nlohmann::ordered_json& document);
[[nodiscard]] bool json_was_printed();

// A number with the unit prefix that keeps it short: 2'000'000'000 "Hz" -> "2 GHz". Bytes alone
// ("B") take powers of 1024: "1.25 MiB".
[[nodiscard]] std::string with_unit(double value, std::string unit);

// The whole of a file.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace d1::tools
