// SPDX-License-Identifier: Apache-2.0
#include "served_dpu.hpp"

#include <d1/abi/registers.h>
#include <d1/base/thread.hpp>
#include <d1/emulator/debug_session.hpp>
#include <d1/vfio_user/control.hpp>
#include <d1/vfio_user/unix_socket.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace d1::server {

using Clock = std::chrono::steady_clock;

namespace {

// A user whose liveness limit is a second has seen some fifty beats by then.
constexpr std::chrono::milliseconds kHeartbeat{20};
constexpr std::size_t kRefused = 16;  // own: strangers that knocked and then said nothing
constexpr std::chrono::milliseconds kRefusal{100};

}  // namespace

Result<std::unique_ptr<ServedDpu>> ServedDpu::create(Dpu dpu, FunctionOptions options,
                                                     std::string path) {
  auto function = Function::create(std::move(options));
  if (!function) return std::unexpected(std::move(function.error()));
  auto listener = vfio_user::listen_at(path);
  if (!listener) return std::unexpected(std::move(listener.error()));
  std::unique_ptr<ServedDpu> served(new ServedDpu(std::move(dpu), std::move(*function),
                                                  std::move(path), std::move(*listener)));
  if (auto ready = served->listen(); !ready) return std::unexpected(std::move(ready.error()));
  auto control = ControlSocket::create(
      vfio_user::control::path_for(served->path_), served->loop_,
      [raw = served.get()](auto verb, auto text) { return raw->answer(verb, text); });
  if (!control) return std::unexpected(std::move(control.error()));
  served->control_ = std::move(*control);
  auto door = debug_door::Door::open(debug_door::path_for(served->path_),
                                     [raw = served.get()] { return raw->visit(); });
  if (!door) return std::unexpected(std::move(door.error()));
  served->door_ = std::move(*door);
  auto thread = start_thread("serving a DPU", [raw = served.get()] { raw->loop_.run(); });
  if (!thread) return std::unexpected(std::move(thread.error()));
  served->thread_ = std::move(*thread);
  return served;
}

ServedDpu::ServedDpu(Dpu dpu, std::unique_ptr<Function> function, std::string path,
                     vfio_user::Descriptor listener)
    : dpu_(std::move(dpu)),
      path_(std::move(path)),
      function_(std::move(function)),
      listener_(std::move(listener)) {}

Result<> ServedDpu::listen() {
  if (auto opened = loop_.open(); !opened) return opened;
  if (auto seen = loop_.watch(listener_.get(), [this] { accept(); }); !seen) return seen;
  loop_.every(kHeartbeat, [this] { function_->device().beat(); });
  return {};
}

ServedDpu::~ServedDpu() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();  // before what it uses goes
  door_.reset();
  control_.reset();
  if (session_) end_session("the daemon ends");
  ::unlink(path_.c_str());
}

void ServedDpu::accept() {
  vfio_user::Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.valid()) return;
  const int number = socket.get();
  const int process = vfio_user::peer_process(number);
  if (session_) {
    ++refused_clients_;
    spdlog::warn("{}: process {} is refused: process {} uses the DPU", dpu_.name, process, client_);
    if (refused_.size() >= kRefused) {
      loop_.unwatch(refused_.front().descriptor());
      refused_.pop_front();
    }
    const auto who = refused_.emplace(refused_.end(), std::move(socket));
    if (!loop_.watch(number, [this, who] { refuse(who); })) refused_.erase(who);
    return;
  }
  ++clients_;
  spdlog::info("{}: process {} attaches", dpu_.name, process);
  {
    const std::lock_guard guard(mutex_);
    session_ = std::make_unique<Session>(*function_, vfio_user::MessageSocket(std::move(socket)),
                                         [this] { loop_.post([this] { serve(); }); });
    client_ = process;
    attached_ = Clock::now();
  }
  if (auto seen = loop_.watch(number, [this] { serve(); }); !seen) {
    spdlog::warn("{}: process {} is not served: {}", dpu_.name, process, seen.error().sentence());
    end_session("it was not served");
  }
}

void ServedDpu::serve() {
  if (!session_) return;  // it ended before what was found of it was looked at
  if (auto received = session_->receive(); !received) end_session(received.error().sentence());
}

void ServedDpu::refuse(std::list<vfio_user::MessageSocket>::iterator who) {
  auto message = who->try_receive();
  if (message && !*message) return;
  if (message) {
    d1_vfio_user_header header = (*message)->header;
    header.flags = D1_VFIO_USER_REPLY | D1_VFIO_USER_ERROR;
    header.error = EBUSY;
    (void)who->send(header, {}, {}, Clock::now() + kRefusal);
  }
  loop_.unwatch(who->descriptor());
  refused_.erase(who);
}

void ServedDpu::end_session(const std::string& why) {
  loop_.unwatch(session_->descriptor());
  const auto counts = session_->counts();
  spdlog::info("{}: process {} is gone after {} commands ({}); the DPU's state is kept", dpu_.name,
               client_, counts.commands, why);
  const std::lock_guard guard(mutex_);
  session_.reset();
  client_ = 0;
}

Result<> ServedDpu::inject(const emulator::FaultPlan& plan) {
  if (auto done = function_->device().inject(plan); !done) return done;
  function_->wake();
  return {};
}

// By the second door (d1/vfio_user/control.hpp).
Result<std::string> ServedDpu::answer(std::string_view verb, std::string_view text) {
  namespace control = vfio_user::control;
  emulator::Device& device = function_->device();
  if (verb == control::kInject) {
    auto plan = emulator::parse_fault_plan(text, "plan");
    if (!plan) return std::unexpected(std::move(plan.error()));
    if (auto done = inject(*plan); !done) return std::unexpected(std::move(done.error()));
    return std::string();
  }
  if (verb == control::kClear) {
    device.clear_faults();
    function_->wake();
    return std::string();
  }
  if (verb == control::kEvents)
    return fmt::format("{}", fmt::join(device.fault_events(), "\n"));
  return fail(ErrorKind::Unsupported,
              fmt::format("This daemon does not know '{}'; it may be older than who asks.", verb));
}

// For a tool (d1/abi/debug.h).
debug_door::Answers ServedDpu::visit() {
  return [this, session = std::make_shared<emulator::DebugSession>(function_->device())](
             const d1_debug_request& request, std::span<const std::uint8_t> data) {
    auto answer = session->answer(request, data);
    if (request.verb == D1_DEBUG_CONTINUE) function_->wake();
    return debug_door::Answer{answer.cycle, std::move(answer.data)};
  };
}

DpuStatus ServedDpu::status() const {
  DpuStatus status;
  status.name = dpu_.name;
  status.place = dpu_.place;
  status.socket = path_;
  emulator::Device& device = function_->device();
  status.nodes = device.read_register(D1_REG_NODES);
  status.hbm_bytes = device.read_register(D1_REG_HBM_BYTES);
  status.cycle = device.read_register(D1_REG_CYCLE);
  status.doorbells = function_->doorbells();
  status.interrupts = function_->raised();
  status.clients = clients_;
  status.refused_clients = refused_clients_;
  status.queues = function_->queues();
  const std::lock_guard guard(mutex_);
  if (!session_) return status;
  status.client = client_;
  status.attached = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - attached_);
  status.session = session_->counts();
  return status;
}

}  // namespace d1::server
