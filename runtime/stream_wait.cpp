// SPDX-License-Identifier: Apache-2.0
// Waiting for operations, and verdicts in words.
#include <fmt/format.h>
#include <d1/driver/status_error.hpp>

#include <algorithm>

#include "stream_core.hpp"

namespace d1::runtime {

namespace limits = driver::limits;
using driver::Clock;
using driver::Deadline;

namespace {

std::string_view name_of(OperationKind kind) {
  switch (kind) {
    case OperationKind::Copy:
      return "copy";
    case OperationKind::Fill:
      return "fill";
    case OperationKind::Load:
      return "load of a program";
    case OperationKind::Launch:
      return "launch";
    case OperationKind::Record:
      return "recording of an event";
    case OperationKind::WaitForEvent:
      return "wait for an event";
    case OperationKind::Fence:
      return "fence";
    case OperationKind::File:
      return "copy of a file";
  }
  return "operation";
}

}  // namespace

StreamCore::HeadDeadlines StreamCore::head_deadlines() {
  std::lock_guard lock(mutex_);
  return head_deadlines_locked();
}

StreamCore::HeadDeadlines StreamCore::head_deadlines_locked() const {
  HeadDeadlines when;
  if (!first_ || first_->kind != OperationKind::Launch || first_->timing_out) return when;
  const auto left = Deadline::max() - head_started_;
  const auto allowed = first_->timeout + halted_at_head_;
  if (first_->timeout.count() != 0 && allowed <= left) when.expiry = head_started_ + allowed;
  if (!first_->host_interactive)
    when.look = std::max(next_look_, head_started_ + limits::kHangLook);
  return when;
}

Result<> StreamCore::wait(OperationState* operation, Deadline deadline) {
  const auto done = [&] { return operation->done.load(std::memory_order_acquire); };
  driver::LogReader& log = context_->device().log();
  Result<> printed;
  while (!done()) {
    const std::uint64_t heads = heads_.load(std::memory_order_relaxed);
    const auto [expiry, look] = head_deadlines();
    const bool woken = queue_->wait(
        [&] {
          printed = log.poll();
          return done() || heads_.load(std::memory_order_relaxed) != heads;
        },
        std::min({deadline, expiry, look}));
    if (woken || done()) continue;
    const auto now = Clock::now();
    if (now >= expiry) {
      end_expired_launch();
      continue;
    }
    // Before the deadline is looked at: some wait again and again, for a short time each.
    if (now >= look) look_at_launch();
    if (now >= deadline && !done()) {
      return fail(ErrorKind::Timeout,
                  "The operation has not ended by the deadline; it goes on, wait "
                  "for it again.");
    }
  }
  printed = log.poll();  // what a launch has printed is there before its completion
  if (!operation->failed) return printed;
  std::optional<Error> known;
  {
    std::lock_guard lock(mutex_);
    known = operation->error;
  }
  Error error = known ? std::move(*known) : describe_failure(operation);
  OperationState* reported = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (!operation->error) operation->error = error;
    // Whoever waits for it has heard of it: synchronize() need not tell again.
    if (first_failed_ == operation) reported = std::exchange(first_failed_, nullptr);
  }
  if (reported) release(reported);
  return std::unexpected(std::move(error));
}

Result<> StreamCore::load(Context::ProgramLoad load) {
  OperationState* operation = take(OperationKind::Load);
  operation->host.bounce = std::move(load.memory);
  auto submitted = submit(operation, load.commands);
  if (!submitted) return std::unexpected(std::move(submitted.error()));
  auto loaded = submitted->wait(driver::after(limits::kSubmitTimeout));
  if (!loaded && loaded.error().kind() == ErrorKind::Timeout && !submitted->done()) {
    return fail(
        ErrorKind::Timeout,
        fmt::format("What was submitted to the stream before has not ended for {} ms, so the "
                    "program is not there yet; wait for the stream first.",
                    limits::kSubmitTimeout.count()));
  }
  return loaded;
}

Result<> StreamCore::synchronize(Deadline deadline) {
  OperationState* newest = nullptr;
  {
    std::lock_guard lock(mutex_);
    newest = last_;
    if (newest) add_reference(newest);
  }
  if (newest) {
    // Only whether it ends counts here: its failure is first_failed_, unless an earlier one is.
    auto waited = wait(newest, deadline);
    const bool ended = newest->done.load(std::memory_order_acquire);
    release(newest);
    if (!ended) return waited;
    if (!waited) {
      std::lock_guard lock(mutex_);
      if (!first_failed_) return waited;
    }
  }
  OperationState* failed = nullptr;
  {
    std::lock_guard lock(mutex_);
    failed = first_failed_;
    if (failed) add_reference(failed);
  }
  if (!failed) return context_->device().log().poll();
  auto verdict = wait(failed, deadline);
  release(failed);
  return verdict;
}

Error StreamCore::describe_failure(OperationState* operation) {
  const driver::Completion& failure = operation->failure;
  const bool launch = operation->kind == OperationKind::Launch;
  if (failure.kind == driver::CompletionKind::DeviceLost) return context_->device().lost_error();
  if (launch && operation->timing_out &&
      (failure.kind == driver::CompletionKind::Cancelled || failure.status == D1_STATUS_ABORTED)) {
    if (operation->deadlock) return Error(ErrorKind::Deadlock, operation->hang_report);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(operation->timeout);
    return Error(ErrorKind::Timeout,
                 fmt::format("Kernel '{}' had not ended {} ms after its start and was aborted. {}",
                             operation->kernel, ms.count(), operation->hang_report));
  }
  if (failure.kind == driver::CompletionKind::Cancelled) {
    return Error(ErrorKind::Cancelled,
                 fmt::format("The stream was closed before this {} had been carried out.",
                             name_of(operation->kind)));
  }
  if (launch && failure.status == D1_STATUS_TRAP) {
    return trap_error(*context_, *operation->program, operation->kernel, *operation->grid,
                      operation->report);
  }
  Error error = driver::status_error(failure.opcode, failure.status, failure.detail);
  if (!launch) return error;
  return std::move(error).while_doing(
      fmt::format("running kernel '{}' on {} nodes", operation->kernel, operation->grid->nodes()));
}

Operation::Operation(std::shared_ptr<StreamCore> core, OperationState* state) noexcept
    : core_(std::move(core)), state_(state) {}

Operation::Operation(Operation&& other) noexcept
    : core_(std::move(other.core_)), state_(std::exchange(other.state_, nullptr)) {}

Operation& Operation::operator=(Operation&& other) noexcept {
  std::swap(core_, other.core_);
  std::swap(state_, other.state_);
  return *this;
}

Operation::~Operation() {
  if (state_) core_->release(state_);
}

bool Operation::done() const {
  if (!state_ || state_->done.load(std::memory_order_acquire)) return true;
  core_->poll();
  return state_->done.load(std::memory_order_acquire);
}

Result<> Operation::wait(Deadline deadline) const {
  if (!state_) return fail(ErrorKind::Invalid, "There is no operation to wait for.");
  return core_->wait(state_, deadline);
}

bool Operation::ended() const noexcept {
  return state_ && state_->done.load(std::memory_order_acquire);
}

std::uint64_t Operation::start_cycle() const noexcept { return ended() ? state_->start_cycle : 0; }
std::uint64_t Operation::end_cycle() const noexcept { return ended() ? state_->end_cycle : 0; }
const d1_launch_report& Operation::report() const noexcept {
  static const d1_launch_report none{};
  return ended() ? state_->report : none;
}

}  // namespace d1::runtime
