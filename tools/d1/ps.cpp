// SPDX-License-Identifier: Apache-2.0
// `d1 ps`: what the daemons of this user serve, and to whom.
#include <d1/server/server.hpp>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace d1::tools {
namespace {

using nlohmann::ordered_json;

// A daemon answers in well under a millisecond; one that is stopped does not.
constexpr std::chrono::milliseconds kTimeout{1000};

struct PsOptions {
  std::string directory;
  bool json = false, prometheus = false;
};

std::string time_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

void print_table(const ordered_json& daemons) {
  fmt::print("{:<12} {:<18} {:>6} {:<22} {:>16} {}\n", "DPU", "place", "nodes", "client", "cycle",
             "queues (waiting/entries)");
  for (const auto& daemon : daemons) {
    for (const auto& dpu : daemon["dpus"]) {
      std::string client = "-";
      if (!dpu["client"].is_null())
        client = fmt::format("process {}, {}", dpu["client"]["process"].get<int>(),
                             time_text(dpu["client"]["attached_s"]));
      std::string queues;
      for (const auto& queue : dpu["queues"])
        queues += fmt::format(" {}:{}/{}", queue["queue"].get<int>(), queue["depth"].get<int>(),
                              queue["entries"].get<int>());
      fmt::print("{:<12} {:<18} {:>6} {:<22} {:>16}{}\n", dpu["name"].get<std::string>(),
                 dpu["place"].get<std::string>(), dpu["nodes"].get<std::uint64_t>(), client,
                 dpu["cycle"].get<std::uint64_t>(), queues);
    }
    fmt::print("  daemon {}: machine {}, up {}\n", daemon["process"].get<int>(),
               daemon["machine"].get<std::string>(), time_text(daemon["uptime_s"]));
  }
}

// The text format of Prometheus: one family after the other, all DPUs in each.
void print_metrics(const ordered_json& daemons) {
  struct Family {
    const char* name;
    const char* type;
    const char* help;
    const char* key;
    const char* of_client;
  };
  constexpr Family kFamilies[] = {
      {"opend1_dpu_nodes", "gauge", "Usable nodes of the DPU.", "nodes", nullptr},
      {"opend1_dpu_cycles_total", "counter", "Emulated cycles since power-on.", "cycle", nullptr},
      {"opend1_dpu_clients_total", "counter", "Clients that attached.", "clients", nullptr},
      {"opend1_dpu_clients_refused_total", "counter", "Clients that found the DPU taken.",
       "refused_clients", nullptr},
      {"opend1_dpu_doorbells_total", "counter", "Doorbells that were rung.", "doorbells", nullptr},
      {"opend1_dpu_interrupts_total", "counter", "Interrupts that were raised.", "interrupts",
       nullptr},
      {"opend1_dpu_client_commands", "gauge", "Messages of the present client.", "client",
       "commands"},
      {"opend1_dpu_client_mapped_bytes", "gauge", "Memory of the present client in the DMA map.",
       "client", "mapped_bytes"}};
  const auto label = [](const ordered_json& daemon, const ordered_json& dpu) {
    return fmt::format("process=\"{}\",machine={},dpu={}", daemon["process"].get<int>(),
                       daemon["machine"].dump(), dpu["name"].dump());
  };
  for (const Family& family : kFamilies) {
    fmt::print("# HELP {} {}\n# TYPE {} {}\n", family.name, family.help, family.name, family.type);
    for (const auto& daemon : daemons)
      for (const auto& dpu : daemon["dpus"]) {
        const auto& value = dpu[family.key];
        if (value.is_null()) continue;
        fmt::print("{}{{{}}} {}\n", family.name, label(daemon, dpu),
                   (family.of_client ? value[family.of_client] : value).get<std::uint64_t>());
      }
  }
  fmt::print("# HELP opend1_dpu_queue_depth Commands rung for and not yet fetched.\n"
             "# TYPE opend1_dpu_queue_depth gauge\n");
  for (const auto& daemon : daemons)
    for (const auto& dpu : daemon["dpus"])
      for (const auto& queue : dpu["queues"])
        fmt::print("opend1_dpu_queue_depth{{{},queue=\"{}\"}} {}\n", label(daemon, dpu),
                   queue["queue"].get<int>(), queue["depth"].get<std::uint64_t>());
}

Result<int> ps(const PsOptions& options) {
  const std::string directory =
      options.directory.empty() ? server::default_directory() : options.directory;
  auto answers = server::ask_daemons(directory, kTimeout);
  if (!answers) return std::unexpected(std::move(answers.error()));
  ordered_json daemons = ordered_json::array();
  for (const std::string& text : answers->documents) daemons.push_back(ordered_json::parse(text));
  if (options.json) print_json({{"daemons", daemons}, {"silent", answers->silent}});
  else if (options.prometheus) print_metrics(daemons);
  else if (daemons.empty() && answers->silent.empty())
    fmt::print("No daemon serves a device in '{}'; start one with 'd1 serve'.\n", directory);
  else print_table(daemons);
  if (answers->silent.empty()) return kSuccess;
  return fail(ErrorKind::Timeout,
              fmt::format("The daemon of '{}' does not answer within {} ms; it may be stopped.",
                          answers->silent.front(), kTimeout.count()));
}

}  // namespace

void add_ps(CLI::App& application, Action& action) {
  auto options = std::make_shared<PsOptions>();
  CLI::App* command = application.add_subcommand(
      "ps", "Show the daemons of this user, their DPUs, clients and queues.");
  command->add_option("--dir", options->directory,
                      "Folder of the sockets (default: " + server::default_directory() + ")");
  CLI::Option* json = command->add_flag("--json", options->json, "One JSON document");
  command->add_flag("--prometheus", options->prometheus, "Metrics in the text format of Prometheus")
      ->excludes(json);
  command->callback([options, &action] { action = [options] { return ps(*options); }; });
}

}  // namespace d1::tools
