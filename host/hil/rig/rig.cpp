// SPDX-License-Identifier: Apache-2.0
#include <d1/hil/rig.hpp>

#include <d1/abi/registers.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "rig/artefacts.hpp"
#include "rig/observing_transport.hpp"
#include "rig/target.hpp"
#include "rig/traffic.hpp"

namespace d1::hil {
namespace {

void check(Result<> result) {
  if (!result) throw Exception(std::move(result.error()));
}

driver::TransportOptions transport_options(const RigOptions& options) {
  driver::TransportOptions made;
  made.machine = options.machine;
  return made;
}

}  // namespace

class Rig::Implementation {
 public:
  explicit Implementation(const RigOptions& options)
      : target_(detail::value(
            Target::make(options.machine, options.serve, artefacts_.file("daemon.log")))),
        traffic_(std::make_shared<Traffic>(
            target_->transport(), transport_options(options),
            options.record ? artefacts_.file("traffic.jsonl") : "", options.record_bytes)),
        transport_("hil:" + observe(traffic_)) {
    artefacts_.watch([this] { return [this, at = context()] { return state(at); }; },
                     [] { return !Traffic::in_action(); });
  }
  ~Implementation() { artefacts_.finish(); }  // before what it asks goes

  [[nodiscard]] std::string missing(const Need& need);
  // Into the record of traffic.
  void tell(std::string_view did, std::string_view with = {});
  void with_observer(const std::function<void(ObservingTransport&)>& what);
  // Of the device that is open, or of one opened for the question.
  void ask(const std::function<void(driver::Transport&)>& what);
  [[nodiscard]] std::shared_ptr<runtime::Context> context();
  [[nodiscard]] std::string state(const std::shared_ptr<runtime::Context>& context);

  Artefacts artefacts_;  // first: the daemon's log is there
  std::unique_ptr<Target> target_;
  std::shared_ptr<Traffic> traffic_;
  std::string transport_;
  std::mutex mutex_;  // a failure may come on any thread
  std::weak_ptr<runtime::Context> context_;
};

// Of the device that is open, or null.
std::shared_ptr<runtime::Context> Rig::Implementation::context() {
  const std::lock_guard guard(mutex_);
  return context_.lock();
}

// Called when an assertion fails, while the device is as it was then; never by who failed.
std::string Rig::Implementation::state(const std::shared_ptr<runtime::Context>& context) {
  std::string text = target_->status();
  if (!context) return text;
  auto nodes = context->all_nodes();
  auto harts = nodes ? context->query_harts(**nodes)
                     : Result<std::vector<d1_hart_report>>(std::unexpected(nodes.error()));
  if (!harts) return text + harts.error().to_string() + "\n";
  text += fmt::format("harts not in reset: {}\n", harts->size());
  for (const d1_hart_report& hart : *harts)
    text += fmt::format("die {} node {} rank {} hart {}: status {} pc {:#x} ra {:#x} sp {:#x} "
                        "wait {} {} {} {} since {}\n",
                        hart.die, hart.node, hart.rank, hart.hart, hart.status, hart.pc, hart.ra,
                        hart.sp, hart.wait_kind, hart.wait_index, hart.wait_amount,
                        hart.wait_value, hart.wait_since);
  return text;
}

void Rig::Implementation::tell(std::string_view did, std::string_view with) {
  Traffic::Json what{{"did", did}};
  if (!with.empty()) what["with"] = with;
  traffic_->add("rig", std::move(what));
}

void Rig::Implementation::with_observer(const std::function<void(ObservingTransport&)>& what) {
  const bool there = traffic_->with_observer(
      [&](driver::Transport& transport) { what(static_cast<ObservingTransport&>(transport)); });
  if (!there)
    throw Exception(Error(ErrorKind::Invalid, "No device is open on this rig; call open() first."));
}

void Rig::Implementation::ask(const std::function<void(driver::Transport&)>& what) {
  if (traffic_->with_observer(what)) return;
  const auto transport =
      detail::value(driver::open_transport(target_->transport(), traffic_->options()));
  what(*transport);
}

std::string Rig::Implementation::missing(const Need& need) {
  std::string text;
  const auto at_least = [&](std::uint32_t reg, const char* unit) {
    ask([&](driver::Transport& transport) {
      if (const std::uint64_t has = transport.read_register64(reg); has < need.amount)
        text = fmt::format("This test needs {} {}, and '{}' has {}.", need.amount, unit,
                           target_->transport(), has);
    });
  };
  switch (need.kind) {
    case Need::Nodes: at_least(D1_REG_NODES, "nodes"); break;
    case Need::HbmBytes: at_least(D1_REG_HBM_BYTES, "bytes of HBM"); break;
    case Need::FaultInjection:
      ask([&](driver::Transport& transport) {
        if (!transport.can_inject_faults())
          text = fmt::format("This test injects faults, and '{}' takes none.",
                             target_->transport());
      });
      break;
    case Need::PowerControl:
      if (!target_->has_power_switch())
        text = fmt::format("This test switches the power of its device; for '{}' set D1_HIL_POWER "
                           "to a command that takes off, on and cycle.",
                           target_->transport());
      break;
    case Need::ProcessControl:
      if (!target_->own())
        text = fmt::format("This test kills and stops its device's daemon, and '{}' is not its "
                           "own; unset D1_HIL_TARGET to run it.",
                           target_->transport());
      break;
  }
  return text;
}

Rig::Rig(const RigOptions& options) : implementation_(std::make_unique<Implementation>(options)) {}
Rig::~Rig() {
  if (std::uncaught_exceptions() != 0)
    implementation_->artefacts_.tell("The test ended with an exception.");
}

Device Rig::open() {
  DeviceOptions options;
  options.transport = implementation_->transport_;
  Device device = Device::open(options);
  const std::lock_guard guard(implementation_->mutex_);
  implementation_->context_ = device.shared();
  return device;
}

const std::string& Rig::transport() const noexcept { return implementation_->transport_; }
const std::string& Rig::target() const noexcept { return implementation_->target_->transport(); }
const std::string& Rig::artefacts() const noexcept { return implementation_->artefacts_.folder(); }

std::string Rig::missing(std::initializer_list<Need> needs) {
  for (const Need& need : needs)
    if (std::string text = implementation_->missing(need); !text.empty()) return text;
  return {};
}

void Rig::power_off() {
  implementation_->tell("power off");
  check(implementation_->target_->off());
}
void Rig::power_on() {
  implementation_->tell("power on");
  check(implementation_->target_->on());
}
void Rig::power_cycle() {
  implementation_->tell("power cycle");
  check(implementation_->target_->cycle());
}

void Rig::hold_in_reset() {
  implementation_->traffic_->set_held(true);
  (void)implementation_->traffic_->with_observer([](driver::Transport& transport) {
    static_cast<ObservingTransport&>(transport).hold_in_reset();
  });
}

void Rig::release() {
  implementation_->traffic_->set_held(false);
  (void)implementation_->traffic_->with_observer([](driver::Transport& transport) {
    static_cast<ObservingTransport&>(transport).release();
  });
}

void Rig::kill() {
  implementation_->tell("kill");
  check(implementation_->target_->signal(SIGKILL));
}
void Rig::stop() {
  implementation_->tell("stop");
  check(implementation_->target_->signal(SIGSTOP));
}
void Rig::go_on() {
  implementation_->tell("go on");
  check(implementation_->target_->signal(SIGCONT));
}

std::uint64_t Rig::interrupts(unsigned vector) {
  if (vector >= D1_MSIX_VECTORS)
    throw Exception(Error(ErrorKind::Invalid,
                          fmt::format("The device has no interrupt vector {}; it has 0 to {}.",
                                      vector, D1_MSIX_VECTORS - 1)));
  std::uint64_t count = 0;
  implementation_->with_observer(
      [&](ObservingTransport& transport) { count = transport.raised(vector); });
  return count;
}

bool Rig::wait_for_interrupts(unsigned vector, std::uint64_t count,
                              std::chrono::milliseconds timeout) {
  const auto deadline = driver::after(timeout);
  while (interrupts(vector) < count) {
    if (driver::Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void Rig::inject(std::string_view plan_toml) {
  implementation_->tell("inject", plan_toml);
  implementation_->ask([&](driver::Transport& transport) {
    check(transport.inject_faults(plan_toml));
  });
}

void Rig::clear_faults() {
  implementation_->tell("clear faults");
  implementation_->ask([](driver::Transport& transport) { check(transport.clear_faults()); });
}

std::vector<std::string> Rig::fault_events() {
  std::vector<std::string> events;
  implementation_->ask([&](driver::Transport& transport) {
    events = detail::value(transport.fault_events());
  });
  return events;
}

void Rig::on(const Event& event, std::function<void()> action) {
  implementation_->traffic_->on(event, std::move(action));
}

Recording Rig::recording() {
  if (!implementation_->traffic_->recording())
    throw Exception(Error(ErrorKind::Invalid,
                          "This rig records no traffic, since RigOptions::record is false."));
  return detail::value(Recording::load(implementation_->artefacts_.file("traffic.jsonl")));
}

}  // namespace d1::hil
