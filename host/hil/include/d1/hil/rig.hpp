// SPDX-License-Identifier: Apache-2.0
// A device under test. Without more it is an emulated one in a daemon of the rig's own; with
// D1_HIL_TARGET in the environment it is what that names, as D1_DEVICE would: "vfio-user:PATH".
//
//   TEST(MyDriver, SurvivesAKill) {
//     d1::hil::Rig rig;
//     D1_HIL_NEEDS(rig, d1::hil::process_control);
//     d1::Device device = rig.open();
//     rig.on(d1::hil::command(3), [&] { rig.kill(); });
//     ...
//   }
//
// While the test runs the rig writes its log, the traffic between host and device, and at the first
// failure the device's state to a folder SUITE.TEST below $D1_HIL_ARTEFACTS (else ./hil-artefacts);
// a second rig of the test to rig-2 in there, one of SetUpTestSuite() to SUITE. It is deleted when
// that has passed, and not when it has failed or crashed.
//
// Errors: everything throws d1::Exception. Threads: one, but for actions of on(), which come on
// whatever thread meets the event, call what they like of the rig but open(), and must not use the
// queue that met it.
// Blocking: starting and ending a daemon, and D1_HIL_POWER, are waited for, kPowerTime at most.
#pragma once

#include <d1/d1.hpp>
#include <d1/hil/event.hpp>
#include <d1/hil/needs.hpp>
#include <d1/hil/recording.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace d1::hil {

struct RigOptions {
  std::string machine = "d1";           // that a daemon of the rig's own emulates: a name or a file
  std::vector<std::string> serve = {};  // more options of its `d1 serve`
  bool record = true;                   // traffic
  // Most of its lines, and of the payload beside them. What is more is not kept: then recording()
  // throws, and the rest of the rig works on.
  std::uint64_t record_bytes = std::uint64_t{256} << 20;
};

class Rig {
 public:
  // A machine under sanitizers takes a second to start, a board with a power switch longer.
  static constexpr std::chrono::seconds kPowerTime{60};

  explicit Rig(const RigOptions& options = {});
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // The device through the rig; one at a time. Devices must be gone before the rig is.
  [[nodiscard]] Device open();
  // As transports are named: what is observed, and the target itself.
  [[nodiscard]] const std::string& transport() const noexcept;
  [[nodiscard]] const std::string& target() const noexcept;
  // A sentence with what the target lacks of this; "" if nothing. See D1_HIL_NEEDS.
  [[nodiscard]] std::string missing(std::initializer_list<Need> needs);

  // Power, whatever uses the device meanwhile: a daemon ends and starts; for other targets the
  // command in D1_HIL_POWER is run with "off", "on" or "cycle" as its argument.
  void power_off();
  void power_on();
  void power_cycle();
  // Its registers, queues and nodes as after power-on, and stays so; a driver that enables it
  // waits for release(). To who has it open it is lost: open it anew.
  void hold_in_reset();
  void release();

  // Of a daemon of the rig's own: SIGKILL, SIGSTOP, SIGCONT.
  void kill();
  void stop();
  void go_on();

  // Interrupts that `vector` has raised since the device was opened, and until there are so many;
  // false: not in time.
  [[nodiscard]] std::uint64_t interrupts(unsigned vector);
  [[nodiscard]] bool wait_for_interrupts(unsigned vector, std::uint64_t count,
                                         std::chrono::milliseconds timeout);

  // Faults: those of a plan in TOML; what they did, oldest first.
  void inject(std::string_view plan_toml);
  void clear_faults();
  [[nodiscard]] std::vector<std::string> fault_events();
  // Calls `action` once, when the event has passed: it may inject faults, kill the daemon, hold the
  // device in reset. Only while traffic passes through the rig. An exception that it ends with
  // fails the test. Interrupts without a command in flight are met up to 10 ms late.
  void on(const Event& event, std::function<void()> action);

  // The traffic so far.
  [[nodiscard]] Recording recording();
  // Where artefacts are while the test runs.
  [[nodiscard]] const std::string& artefacts() const noexcept;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace d1::hil
