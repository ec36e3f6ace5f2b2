// SPDX-License-Identifier: Apache-2.0
// The device a rig works with: a daemon that it starts, or what D1_HIL_TARGET names.
// Threads: any may call any member; who switches or signals waits for others that do.
// Blocking: starting, ending, switching and signals wait, `Rig::kPowerTime` at most.
#pragma once

#include <d1/base/error.hpp>
#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace d1::hil {

class Target {
 public:
  // log: where a daemon writes its own.
  [[nodiscard]] static Result<std::unique_ptr<Target>> make(std::string machine,
                                                            std::vector<std::string> serve,
                                                            std::string log);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target();

  [[nodiscard]] const std::string& transport() const noexcept { return transport_; }
  [[nodiscard]] bool own() const noexcept { return !folder_.empty(); }
  [[nodiscard]] bool has_power_switch() const noexcept { return own() || !power_.empty(); }

  [[nodiscard]] Result<> off();
  [[nodiscard]] Result<> on();
  [[nodiscard]] Result<> cycle();
  // To a daemon of the rig's own that runs. SIGKILL: it has ended, SIGSTOP: all its threads stand.
  [[nodiscard]] Result<> signal(int number);
  // What `d1 ps --json` says of it, as far as it says anything.
  [[nodiscard]] std::string status() const;

 private:
  Target() = default;
  // With mutex_ held:
  [[nodiscard]] bool runs();  // false, too, of one that has ended by itself or by a fault
  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> end();
  [[nodiscard]] Result<> switch_power(const char* how) const;

  // Set by make():
  std::string transport_, power_;
  std::string folder_;  // of sockets, of a daemon of the rig's own; else empty
  std::string machine_, log_;
  std::vector<std::string> serve_;
  std::mutex mutex_;  // everything below
  pid_t process_ = -1;
  int input_ = -1;  // of the daemon: it ends when this does, also by a crash of this process
};

}  // namespace d1::hil
