// SPDX-License-Identifier: Apache-2.0
// `d1 fault`: faults for a device that a daemon serves, while it runs.
#include <d1/driver/limits.hpp>
#include <d1/emulator/fault_plan.hpp>
#include <d1/server/server.hpp>
#include <d1/vfio_user/control.hpp>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "command.hpp"

namespace d1::tools {
namespace {

using nlohmann::ordered_json;
namespace control = vfio_user::control;

// A daemon answers between two quanta.
constexpr std::chrono::milliseconds kTimeout{5000};

struct FaultOptions {
  std::string device, plan, directory;
  std::vector<std::string> words;  // KEY=VALUE
  bool kinds = false, clear = false, json = false;
};

int print_kinds(bool json) {
  ordered_json document = ordered_json::array();
  for (const emulator::FaultKindInfo& info : emulator::fault_kinds()) {
    if (json)
      document.push_back({{"kind", info.name},
                          {"keys", emulator::fault_keys(info.kind)},
                          {"what", info.what},
                          {"seen", info.seen}});
    else
      fmt::print("{}: {}\n    seen: {}\n    keys: {}\n", info.name, info.what, info.seen,
                 fmt::join(emulator::fault_keys(info.kind), ", "));
  }
  if (json) print_json(document);
  return kSuccess;
}

// Of a DPU by its name, or of its socket by its path, with or without "vfio-user:".
std::string control_path(const FaultOptions& options) {
  std::string device = options.device;
  constexpr std::string_view kTransport = "vfio-user:";
  if (device.starts_with(kTransport)) device.erase(0, kTransport.size());
  if (device.find('/') != std::string::npos) return control::path_for(device);
  const std::string directory =
      options.directory.empty() ? server::default_directory() : options.directory;
  return control::path_for(directory + "/" + device + ".sock");
}

// node_stop node=die0/n3,4 at_cycle=1000 -> a plan of one fault. A word alone is the kind; a value
// that is not a number, a range or a truth value is text.
std::string plan_of(const std::vector<std::string>& words) {
  std::string seed, fault = "[[fault]]\n";
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const bool alone = equals == std::string::npos;
    const std::string key = alone ? "kind" : word.substr(0, equals);
    const std::string value = alone ? word : word.substr(equals + 1);
    const bool plain =
        !value.empty() && (std::isdigit(static_cast<unsigned char>(value[0])) != 0 ||
                           value[0] == '[') &&
        value.find_first_not_of("0123456789_.xabcdefABCDEF[], ") == std::string::npos;
    const bool truth = value == "true" || value == "false";
    const std::string line = fmt::format("{} = {}\n", key,
                                         plain || truth ? value : ordered_json(value).dump());
    (key == "seed" ? seed : fault) += line;
  }
  return seed + fault;
}

Result<int> print_events(const std::string& path, bool json) {
  auto answer = control::ask(path, control::kEvents, "", driver::after(kTimeout));
  if (!answer) return std::unexpected(std::move(answer.error()));
  ordered_json events = ordered_json::array();
  std::istringstream lines(*answer);
  for (std::string line; std::getline(lines, line);) {
    if (json) events.push_back(line);
    else fmt::print("{}\n", line);
  }
  if (json) print_json({{"events", events}});
  else if (answer->empty()) fmt::print("No fault has begun on this device.\n");
  return kSuccess;
}

Result<int> fault(const FaultOptions& options) {
  if (options.kinds) return print_kinds(options.json);
  if (options.device.empty())
    return fail(ErrorKind::Invalid, "d1 fault needs a device: a DPU's name as in 'd1 ps', or the "
                                    "path of its socket.");
  const std::string path = control_path(options);
  const auto deadline = driver::after(kTimeout);
  if (options.clear) {
    auto answer = control::ask(path, control::kClear, "", deadline);
    if (!answer) return std::unexpected(std::move(answer.error()));
    return kSuccess;
  }
  std::string text;
  if (!options.plan.empty()) {
    auto read = read_file(options.plan);
    if (!read) return std::unexpected(std::move(read.error()));
    text = std::move(*read);
  } else if (!options.words.empty()) {
    text = plan_of(options.words);
  } else {
    return print_events(path, options.json);
  }
  const std::string origin = options.plan.empty() ? "the command line" : options.plan;
  if (auto plan = emulator::parse_fault_plan(text, origin); !plan)
    return std::unexpected(std::move(plan.error()));
  auto answer = control::ask(path, control::kInject, text, deadline);
  if (!answer) return std::unexpected(std::move(answer.error()));
  return kSuccess;
}

}  // namespace

void add_fault(CLI::App& application, Action& action) {
  auto options = std::make_shared<FaultOptions>();
  CLI::App* command = application.add_subcommand(
      "fault", "Give a device that a daemon serves faults, or see what they did.");
  command->add_option("device", options->device,
                      "DPU's name as in d1 ps, or the path of its socket");
  command->add_option("words", options->words,
                      "One fault: node_stop node=die0/n3,4 at_cycle=1000 for_cycles=500; "
                      "none: show what faults did")
      ->type_name("KIND KEY=VALUE");
  CLI::Option* plan = command->add_option("--plan", options->plan, "Plan of faults (TOML)")
                          ->type_name("PATH");
  command->add_flag("--clear", options->clear, "End all faults")->excludes(plan);
  command->add_flag("--kinds", options->kinds, "List the kinds of faults");
  command->add_option("--dir", options->directory,
                      "Folder of the sockets (default: " + server::default_directory() + ")");
  command->add_flag("--json", options->json, "One JSON document");
  command->callback([options, &action] { action = [options] { return fault(*options); }; });
}

}  // namespace d1::tools
