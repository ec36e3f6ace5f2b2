// SPDX-License-Identifier: Apache-2.0
// The device's side of its faults (faults/): what they do to the link to the host.
#include "device_implementation.hpp"

namespace d1::emulator {

Result<> Device::Implementation::inject(const FaultPlan& plan) {
  auto added = locked([&](Dip&) {
    return faults_.add(plan, daemon_faults_ == DaemonFaults::ToldToHandler);
  });
  const std::lock_guard guard(sleep_mutex_);
  sleep_.notify_all();  // host time counts from now on
  return added;
}

void Device::Implementation::clear_faults() {
  locked([this](Dip&) { faults_.clear(); });
}

std::vector<std::string> Device::Implementation::fault_events() {
  return locked([this](Dip&) {
    return std::vector<std::string>(fault_events_.begin(), fault_events_.end());
  });
}

// Begins and ends what is due. False: the link to the host is down, or there is no device.
bool Device::Implementation::faults_allow_work() {
  faults_.poll();
  return !faults_.retraining() && !faults_.gone();
}

// Whoever maps the live page sees what is read on a bus where nobody is.
void Device::Implementation::removed() {
  dip_.cut_off();
  ready_.store(false);
  for (const std::uint32_t offset : {D1_REG_STATUS, D1_REG_CYCLE, D1_REG_HEARTBEAT})
    live_.at(offset).store(~std::uint64_t{0});
}

void Device::Implementation::restored() {
  reset();
  set_ready(false);
  live_.at(D1_REG_CYCLE).store(scheduler_.frontier() / isa::kTicksPerCycle);
}

void Device::Implementation::throttled(bool yes) {
  throttle_bit_.store(yes ? D1_STATUS_THROTTLED : 0);
  if (yes) live_.at(D1_REG_STATUS).fetch_or(D1_STATUS_THROTTLED);
  else live_.at(D1_REG_STATUS).fetch_and(~std::uint64_t{D1_STATUS_THROTTLED});
}

void Device::Implementation::told(const FaultEvent& event) {
  if (fault_events_.size() == kFaultEvents) fault_events_.pop_front();
  fault_events_.push_back(event.text);
  if (fault_handler_) fault_handler_(event);
}

}  // namespace d1::emulator
