// SPDX-License-Identifier: Apache-2.0
// `d1 serve`: a machine whose DPUs other processes use.
#include <d1/base/thread.hpp>
#include <d1/server/server.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "command.hpp"

namespace d1::tools {
namespace {

struct ServeOptions {
  server::ServerOptions server;
  std::string log_level = "info";
  bool log_json = false;
  unsigned poll_us = 50;
  bool until_input_ends = false;
};

// One JSON object a line: what a log collector takes. The text is escaped as JSON wants it.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(
        message.time.time_since_epoch());
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string text =
        nlohmann::ordered_json{
            {"time_us", since.count()},
            {"level", std::string(level.data(), level.size())},
            {"message", std::string(message.payload.data(), message.payload.size())}}
            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
        "\n";
    to.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

void set_up_log(const ServeOptions& options) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("d1"));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  if (options.log_json) spdlog::set_formatter(std::make_unique<JsonFormatter>());
  else spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
}

// Who started us holds the other end of our standard input: it ends however that process does.
constexpr int kLookMs = 50;
void wait_for_end_of_input(const std::stop_token& stop, server::Server& server) {
  while (!stop.stop_requested()) {
    pollfd entry{STDIN_FILENO, POLLIN, 0};
    if (::poll(&entry, 1, kLookMs) <= 0) continue;
    std::array<char, 256> piece;
    if (::read(STDIN_FILENO, piece.data(), piece.size()) > 0) continue;
    spdlog::info("ending, since the standard input has ended");
    server.stop();
    return;
  }
}

Result<int> serve(ServeOptions options) {
  set_up_log(options);
  options.server.poll = std::chrono::microseconds(options.poll_us);
  auto server = server::Server::create(options.server);
  if (!server) return std::unexpected(std::move(server.error()));
  fmt::print("{}", (*server)->description());
  std::fflush(stdout);  // who started us reads where to attach
  std::jthread input;
  if (options.until_input_ends) {
    auto thread = start_thread("input", [raw = server->get()](const std::stop_token& stop) {
      wait_for_end_of_input(stop, *raw);
    });
    if (!thread) return std::unexpected(std::move(thread.error()));
    input = std::move(*thread);
  }
  (*server)->run();
  return kSuccess;
}

}  // namespace

void add_serve(CLI::App& application, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = application.add_subcommand(
      "serve", "Hold a machine and offer its parts as devices to other processes (vfio-user).");
  command->add_option("--machine", options->server.machine,
                      "Built-in machine (see d1 info) or path of a machine file")
      ->capture_default_str();
  command
      ->add_option("--dpu", options->server.dpus,
                   "NAME=PLACE: a part of the machine and what it is called; all, tile0/die3, "
                   "tile0/die0..11 (two corners of a rectangle) or tile0/die3/n0,0..5,9; may be "
                   "given again (default: d1=all)")
      ->type_name("NAME=PLACE");
  command->add_option("--dir", options->server.directory,
                      "Folder of the sockets (default: " + server::default_directory() + ")");
  command->add_option("--threads", options->server.host_threads,
                      "Host threads that run nodes, of each DPU; 0: as many as the host has");
  command->add_option("--seed", options->server.seed,
                      "Shuffle the order of what is unordered; 0: do not");
  command->add_option("--engine", options->server.engine, "interp or dbt (default: $D1_ENGINE)");
  command->add_option("--rom", options->server.rom_image,
                      "Boot ROM to use instead of the built-in one");
  command
      ->add_option("--faults", options->server.faults,
                   "Plan of faults (TOML) for all DPUs, or for one: NAME=PATH; may be given again. "
                   "See d1 fault")
      ->type_name("[NAME=]PATH");
  command->add_option("--poll-us", options->poll_us,
                      "How long a DPU's thread looks for work before it sleeps")
      ->capture_default_str();
  command->add_flag("--until-input-ends", options->until_input_ends,
                    "End when the standard input does: with the process that started this");
  command->add_option("--log-level", options->log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  command->add_flag("--log-json", options->log_json, "One JSON object a line");
  command->callback([options, &action] { action = [options] { return serve(*options); }; });
}

}  // namespace d1::tools
