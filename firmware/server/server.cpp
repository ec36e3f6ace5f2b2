// SPDX-License-Identifier: Apache-2.0
#include <d1/server/server.hpp>

#include <d1/vfio_user/socket_directory.hpp>
#include <d1/vfio_user/unix_socket.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "event_loop.hpp"
#include "served_dpu.hpp"
#include "shrink_guard.hpp"

namespace d1::server {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kStatusSuffix = ".status";

Result<std::vector<std::uint8_t>> read_rom(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file || bytes.empty())
    return fail(ErrorKind::Invalid, fmt::format("The boot ROM '{}' cannot be read.", path));
  return bytes;
}

ordered_json document_of(const DpuStatus& dpu) {
  ordered_json queues = ordered_json::array();
  for (const QueueDepth& queue : dpu.queues)
    queues.push_back({{"queue", queue.index}, {"entries", queue.entries}, {"depth", queue.depth}});
  ordered_json client;
  if (dpu.client != 0)
    client = {{"process", dpu.client},
              {"attached_s", static_cast<double>(dpu.attached.count()) / 1000},
              {"commands", dpu.session.commands},
              {"refused", dpu.session.refused},
              {"maps", dpu.session.maps},
              {"mapped_bytes", dpu.session.mapped_bytes}};
  return {{"name", dpu.name},
          {"place", dpu.place},
          {"socket", dpu.socket},
          {"nodes", dpu.nodes},
          {"hbm_bytes", dpu.hbm_bytes},
          {"cycle", dpu.cycle},
          {"client", client},
          {"clients", dpu.clients},
          {"refused_clients", dpu.refused_clients},
          {"doorbells", dpu.doorbells},
          {"interrupts", dpu.interrupts},
          {"queues", queues}};
}

}  // namespace

std::string default_directory() { return vfio_user::socket_directory(); }

class Server::Implementation {
 public:
  explicit Implementation(std::string machine) : machine_(std::move(machine)) {}
  ~Implementation() {
    if (!status_path_.empty()) ::unlink(status_path_.c_str());
  }

  Result<> open(const emulator::MachineDescription& machine, const ServerOptions& options);
  void run();
  void stop() { loop_.stop(); }
  [[nodiscard]] std::string description() const;

 private:
  Result<> give_faults(const std::string& text);
  Result<> serve_status(const std::string& directory);
  void tell_status();

  const std::string machine_;
  const Clock::time_point started_ = Clock::now();
  std::vector<std::unique_ptr<ServedDpu>> dpus_;
  std::string status_path_;
  vfio_user::Descriptor status_;
  EventLoop loop_;
};

Result<> Server::Implementation::open(const emulator::MachineDescription& machine,
                                      const ServerOptions& options) {
  const std::string directory = options.directory.empty() ? default_directory() : options.directory;
  if (auto made = vfio_user::make_socket_directory(directory); !made) return made;
  if (auto opened = loop_.open(); !opened) return opened;
  auto heard = loop_.on_signals({SIGTERM, SIGINT}, [this](int signal) {
    spdlog::info("ending, since signal {} came", signal);
    loop_.stop();
  });
  if (!heard) return heard;
  auto engine = emulator::engine_options_for(options.engine);
  if (!engine) return std::unexpected(std::move(engine.error()));
  FunctionOptions function;
  function.poll = options.poll;
  function.device.engine = *engine;
  function.device.host_threads = options.host_threads;
  function.device.seed = options.seed;
  if (!options.rom_image.empty()) {
    auto rom = read_rom(options.rom_image);
    if (!rom) return std::unexpected(std::move(rom.error()));
    function.device.rom = std::move(*rom);
  }

  std::vector<Dpu> asked;
  const std::vector<std::string> whole = {"d1=all"};
  for (const std::string& text : options.dpus.empty() ? whole : options.dpus) {
    auto dpu = parse_dpu(text, machine);
    if (!dpu) return std::unexpected(std::move(dpu.error()));
    for (const Dpu& other : asked) {
      if (other.name == dpu->name)
        return fail(ErrorKind::Invalid, fmt::format("Two DPUs are called '{}'.", dpu->name));
      if (overlap(other, *dpu))
        return fail(ErrorKind::Invalid,
                    fmt::format("The DPUs '{}' ({}) and '{}' ({}) overlap; a node belongs to one "
                                "DPU at most.",
                                other.name, other.place, dpu->name, dpu->place));
    }
    asked.push_back(std::move(*dpu));
  }
  for (Dpu& dpu : asked) {
    auto part = part_of(machine, dpu);
    if (!part) return std::unexpected(std::move(part.error()));
    function.device.description = std::move(*part);
    std::string path = directory + "/" + dpu.name + ".sock";
    auto served = ServedDpu::create(std::move(dpu), function, std::move(path));
    if (!served) return std::unexpected(std::move(served.error()));
    dpus_.push_back(std::move(*served));
  }
  for (const std::string& text : options.faults)
    if (auto given = give_faults(text); !given) return given;
  return serve_status(directory);
}

// [NAME=]PATH
Result<> Server::Implementation::give_faults(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
  auto plan = emulator::load_fault_plan(text.substr(equals == std::string::npos ? 0 : equals + 1));
  if (!plan) return std::unexpected(std::move(plan.error()));
  bool any = false;
  for (const auto& dpu : dpus_) {
    if (!name.empty() && dpu->name() != name) continue;
    any = true;
    if (auto taken = dpu->inject(*plan); !taken)
      return pass_on(taken, fmt::format("taking the faults of '{}'", text));
  }
  if (any) return {};
  return fail(ErrorKind::Invalid,
              fmt::format("The faults of '{}' are for a DPU '{}', which is not served here.", text,
                          name));
}

Result<> Server::Implementation::serve_status(const std::string& directory) {
  std::string path = fmt::format("{}/{}{}", directory, ::getpid(), kStatusSuffix);
  auto listener = vfio_user::listen_at(path);
  if (!listener) return std::unexpected(std::move(listener.error()));
  status_ = std::move(*listener);
  status_path_ = std::move(path);
  return loop_.watch(status_.get(), [this] { tell_status(); });
}

// Who asks gets the document and the end of the connection; who does not read it gets a part.
void Server::Implementation::tell_status() {
  const vfio_user::Descriptor asker(
      ::accept4(status_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!asker.valid()) return;
  ordered_json dpus = ordered_json::array();
  for (const auto& dpu : dpus_) dpus.push_back(document_of(dpu->status()));
  const std::chrono::duration<double> uptime = Clock::now() - started_;
  const std::string text =
      ordered_json{{"process", ::getpid()}, {"machine", machine_}, {"uptime_s", uptime.count()},
                   {"dpus", dpus}}
          .dump() +
      "\n";
  (void)!::send(asker.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

void Server::Implementation::run() { loop_.run(); }

std::string Server::Implementation::description() const {
  std::string text;
  for (const auto& dpu : dpus_) {
    const DpuStatus status = dpu->status();
    text += fmt::format("{}  {} of {}  {} nodes  {:.1f} GiB HBM  vfio-user:{}\n", status.name,
                        status.place, machine_, status.nodes,
                        static_cast<double>(status.hbm_bytes) / (1u << 30), status.socket);
  }
  return text;
}

Result<std::unique_ptr<Server>> Server::create(const ServerOptions& options) {
  auto machine = emulator::load_machine(options.machine);
  if (!machine) return std::unexpected(std::move(machine.error()));
  ShrinkGuard::install();
  ::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error, not an end
  auto implementation = std::make_unique<Implementation>(machine->name);
  if (auto opened = implementation->open(*machine, options); !opened)
    return pass_on(opened, fmt::format("serving the machine '{}'", options.machine));
  return std::unique_ptr<Server>(new Server(std::move(implementation)));
}

Server::Server(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Server::~Server() = default;
void Server::run() { implementation_->run(); }
void Server::stop() { implementation_->stop(); }
std::string Server::description() const { return implementation_->description(); }

Result<Daemons> ask_daemons(const std::string& directory, std::chrono::milliseconds timeout) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == kStatusSuffix) paths.push_back(entry.path());
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(ErrorKind::Invalid, fmt::format("The folder '{}' cannot be read: {}.", directory,
                                                error.message()));
  std::ranges::sort(paths);
  Daemons daemons;
  for (const std::string& path : paths) {
    const auto deadline = Clock::now() + timeout;
    auto socket = vfio_user::connect_to(path, deadline);
    if (!socket) {  // else its daemon is gone, and left the file
      if (socket.error().kind() == ErrorKind::Timeout) daemons.silent.push_back(path);
      continue;
    }
    std::string document;
    for (bool more = true; more;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      pollfd entry{socket->get(), POLLIN, 0};
      std::array<char, 65536> piece;
      ssize_t got = -1;
      if (left.count() > 0 && ::poll(&entry, 1, static_cast<int>(left.count())) > 0)
        got = ::recv(socket->get(), piece.data(), piece.size(), MSG_DONTWAIT);
      if (got > 0) document.append(piece.data(), static_cast<std::size_t>(got));
      more = got > 0;
    }
    if (document.ends_with('\n')) daemons.documents.push_back(std::move(document));
    else daemons.silent.push_back(path);
  }
  return daemons;
}

}  // namespace d1::server
