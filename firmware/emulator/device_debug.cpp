// SPDX-License-Identifier: Apache-2.0
// The device's side of its debug interface (debug/): halts, and the lock around what tools ask.
#include "debug/debug_port.hpp"
#include "device_implementation.hpp"

namespace d1::emulator {

Result<std::vector<std::uint8_t>> Device::Implementation::debug(
    const d1_debug_request& request, std::span<const std::uint8_t> data, std::uint64_t& cycle) {
  return locked([&](Dip& dip) {
    cycle = scheduler_.frontier() / isa::kTicksPerCycle;
    const DeviceActivity activity{ready_.load(), active_.load(), halts_.load()};
    return DebugPort(machine_, fabric_, scheduler_, dip, activity).answer(request, data);
  });
}

// When it returns no node runs any more.
void Device::Implementation::halt() {
  {
    const std::lock_guard guard(halt_mutex_);
    if (halts_.fetch_add(1) == 0) halted_since_ = Clock::now();
  }
  locked([this](Dip&) {
    if (ready_.load()) live_.at(D1_REG_STATUS).fetch_or(halted_bit());
  });
}

void Device::Implementation::resume() {
  const std::lock_guard guard(halt_mutex_);
  if (halts_.fetch_sub(1) != 1) return;
  halted_before_ += Clock::now() - halted_since_;
  if (!faults_.gone()) live_.at(D1_REG_STATUS).fetch_and(~std::uint64_t{D1_STATUS_HALTED});
  const std::lock_guard sleeping(sleep_mutex_);
  sleep_.notify_all();
}

std::uint64_t Device::Implementation::halted_ms() {
  const std::lock_guard guard(halt_mutex_);
  const auto now = halted() ? Clock::now() - halted_since_ : Clock::duration{};
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(halted_before_ + now).count());
}

}  // namespace d1::emulator
