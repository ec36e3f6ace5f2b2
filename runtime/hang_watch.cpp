// SPDX-License-Identifier: Apache-2.0
// The end of launches that end otherwise never, or not in time. Whoever waits for a stream looks
// after the launch at its head.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stream_core.hpp"

namespace d1::runtime {

namespace limits = driver::limits;
using driver::Clock;

// The launch at the head if its turn to be looked at has come, with a reference; else null.
OperationState* StreamCore::take_look() {
  std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (now < head_deadlines_locked().look) return nullptr;
  next_look_ = now + limits::kHangLook;
  add_reference(first_);
  return first_;
}

// Asks the device, which takes it some time: at once where emulated time stands still, else now and
// then, since some harts of a launch may wait for ever while others run.
bool StreamCore::may_be_stuck(const OperationState& operation) {
  if (context_->device().halted_now()) return false;  // which would not answer
  const std::uint64_t cycle = context_->device().cycle();
  const auto asked = Clock::now();
  {
    std::lock_guard lock(mutex_);
    const bool still = std::exchange(look_cycle_, cycle) == cycle;
    if (!still && asked < next_ask_) return false;
  }
  auto waits = ask_waits(operation, false);
  const auto now = Clock::now();
  std::lock_guard lock(mutex_);
  next_ask_ = now + (now - asked) * limits::kHangShare;
  // A device that has no time for this is not kept from its work.
  if (!waits) next_look_ = std::max(next_look_, now + (now - asked) * 10);
  return waits && waits->verdict.state == D1_DEBUG_STANDS;
}

Result<Context::Waits> StreamCore::ask_waits(const OperationState& operation, bool all_harts) {
  const std::uint64_t harts = all_harts ? operation.grid->nodes() * D1_HARTS : 0;
  return context_->query_waits(queue_->index(), operation.command_id, harts);
}

void StreamCore::look_at_launch() {
  OperationState* const operation = take_look();
  if (!operation) return;
  if (may_be_stuck(*operation)) {
    // Who can never go on now cannot later, unless the host does something meanwhile.
    auto waits = ask_waits(*operation, true);
    if (waits && waits->verdict.state == D1_DEBUG_STANDS && claim(operation))
      end_launch(operation, deadlock_report(*operation, *waits), true);
  }
  release(operation);
}

void StreamCore::end_expired_launch() {
  OperationState* operation = nullptr;
  const auto halted = context_->device().halted();
  {
    std::lock_guard lock(mutex_);
    // Tools halted the machine meanwhile, or are doing so: that time does not count.
    halted_at_head_ += halted - std::exchange(halted_known_, halted);
    if (Clock::now() < head_deadlines_locked().expiry) return;
    operation = first_;
    operation->timing_out = true;
    add_reference(operation);
  }
  auto waits = ask_waits(*operation, true);
  if (waits && waits->verdict.state == D1_DEBUG_STANDS) {
    end_launch(operation, deadlock_report(*operation, *waits), true);
  } else {
    std::string report = waits ? slow_report(*operation, *waits) + " " : std::string();
    report += hang_report(*context_, operation->program.get(), *operation->grid);
    end_launch(operation, std::move(report), false);
  }
  release(operation);
}

// Whether it is the caller who ends it.
bool StreamCore::claim(OperationState* operation) {
  std::lock_guard lock(mutex_);
  return !std::exchange(operation->timing_out, true);
}

void StreamCore::end_launch(OperationState* operation, std::string report, bool deadlock) {
  {
    std::lock_guard lock(mutex_);
    operation->hang_report = std::move(report);
    operation->deadlock = deadlock;
  }
  d1_abort abort{};
  abort.header.opcode = D1_COMMAND_ABORT;
  abort.queue = queue_->index();
  abort.command_id = operation->command_id;
  // NOT_FOUND: it has just ended by itself. Any other failure shows in the wait that follows.
  (void)context_->execute(driver::to_bytes(abort), driver::after(limits::kAbortGrace));
  const auto done = [&] { return operation->done.load(std::memory_order_acquire); };
  if (!queue_->wait(done, driver::after(limits::kAbortGrace))) queue_->close();
}

}  // namespace d1::runtime
