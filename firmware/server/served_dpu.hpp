// SPDX-License-Identifier: Apache-2.0
// A DPU with its socket and the thread that talks to its client. The first to knock is the client
// until it leaves; who comes meanwhile is refused (EBUSY in reply to its VERSION).
// Threads: status() may be called from any; tools are answered on their door's thread, and all else
// happens on the DPU's own.
#pragma once

#include <d1/debug_door/door.hpp>
#include <d1/vfio_user/message_socket.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control_socket.hpp"
#include "dpu.hpp"
#include "event_loop.hpp"
#include "function.hpp"
#include "session.hpp"

namespace d1::server {

struct DpuStatus {
  std::string name, place, socket;
  std::uint64_t nodes = 0, hbm_bytes = 0, cycle = 0;
  int client = 0;  // its process; 0: none
  std::chrono::milliseconds attached{};
  std::uint64_t clients = 0, refused_clients = 0;
  Session::Counts session;
  std::uint64_t doorbells = 0, interrupts = 0;
  std::vector<QueueDepth> queues;  // in use
};

class ServedDpu {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ServedDpu>> create(Dpu dpu, FunctionOptions options,
                                                                 std::string path);
  ~ServedDpu();
  ServedDpu(const ServedDpu&) = delete;
  ServedDpu& operator=(const ServedDpu&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return dpu_.name; }
  [[nodiscard]] DpuStatus status() const;
  [[nodiscard]] Result<> inject(const emulator::FaultPlan& plan);

 private:
  ServedDpu(Dpu dpu, std::unique_ptr<Function> function, std::string path,
            vfio_user::Descriptor listener);
  [[nodiscard]] Result<> listen();  // once, before the thread
  void accept();
  void serve();  // what the client has sent
  void refuse(std::list<vfio_user::MessageSocket>::iterator who);
  void end_session(const std::string& why);
  debug_door::Answers visit();
  Result<std::string> answer(std::string_view verb, std::string_view text);

  const Dpu dpu_;
  const std::string path_;
  std::unique_ptr<Function> function_;
  vfio_user::Descriptor listener_;
  mutable std::mutex mutex_;  // guards session_'s life and what is told of it
  std::unique_ptr<Session> session_;
  int client_ = 0;
  std::chrono::steady_clock::time_point attached_;
  std::atomic<std::uint64_t> clients_ = 0, refused_clients_ = 0;
  std::list<vfio_user::MessageSocket> refused_;  // until they have said who they are
  EventLoop loop_;
  std::unique_ptr<ControlSocket> control_;
  std::unique_ptr<debug_door::Door> door_;
  std::jthread thread_;  // of create()
};

}  // namespace d1::server
