// SPDX-License-Identifier: Apache-2.0
#include "stream_core.hpp"

#include "file_worker.hpp"

#include <fmt/format.h>
#include <d1/driver/status_error.hpp>

#include <algorithm>
#include <cstring>

namespace d1::runtime {

namespace limits = driver::limits;
using driver::Clock;
using driver::Deadline;

namespace {

constexpr std::uint64_t kLaunchSlotBytes = 1024;
constexpr std::uint64_t kReportOffset = 768;
static_assert(sizeof(d1_launch) <= kReportOffset);
static_assert(sizeof(d1_launch_report) <= kLaunchSlotBytes - kReportOffset);

}  // namespace

Result<std::shared_ptr<StreamCore>> StreamCore::create(std::shared_ptr<Context> context,
                                                       std::uint32_t entries) {
  std::shared_ptr<StreamCore> core(new StreamCore(std::move(context)));
  driver::Device& device = core->context_->device();
  auto slots =
      device.dma().allocate(limits::kLaunchSlots * kLaunchSlotBytes, driver::Warmth::OnDemand);
  if (!slots) return pass_on(slots, "making a stream");
  core->slots_ = std::move(*slots);
  auto staging = device.dma().allocate(limits::kStagingBytes, driver::Warmth::OnDemand);
  if (!staging) return pass_on(staging, "making a stream");
  core->staging_ = std::move(*staging);
  auto queue = device.create_queue_pair(std::min(entries, device.info().queue_entries));
  if (!queue) return pass_on(queue, "making a stream");
  core->queue_ = std::move(*queue);
  core->halted_known_ = device.halted();
  for (auto slot = static_cast<std::int32_t>(limits::kLaunchSlots); slot-- > 0;) {
    core->free_launch_slots_.push_back(slot);
  }
  constexpr auto staging_slots = limits::kStagingBytes / limits::kStagedCopyBytes;
  for (auto slot = static_cast<std::int32_t>(staging_slots); slot-- > 0;) {
    core->free_staging_slots_.push_back(slot);
  }
  return core;
}

StreamCore::StreamCore(std::shared_ptr<Context> context) : context_(std::move(context)) {}

StreamCore::~StreamCore() {
  close();
  files_.reset();
  queue_.reset();
}

void StreamCore::close() {
  if (queue_) queue_->close();
  OperationState* failed = nullptr;
  {
    std::lock_guard lock(mutex_);
    failed = std::exchange(first_failed_, nullptr);
  }
  if (failed) release(failed);
}

OperationState* StreamCore::take(OperationKind kind) {
  std::lock_guard lock(mutex_);
  OperationState* operation = nullptr;
  if (free_.empty()) {
    operation = &pool_.emplace_back();
    operation->core = this;
  } else {
    operation = free_.back();
    free_.pop_back();
  }
  operation->kind = kind;
  operation->references.store(1, std::memory_order_relaxed);
  return operation;
}

void StreamCore::release(OperationState* operation) {
  // Pairs with itself: whoever drops the last reference sees what the others did.
  if (operation->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // What the operation kept alive may take locks of its own as it goes: not under ours.
  operation->host = HostMemory{};
  operation->buffers[0].reset();
  operation->buffers[1].reset();
  operation->program.reset();
  operation->grid.reset();
  operation->error.reset();
  operation->hang_report.clear();
  operation->kernel = {};
  operation->timeout = {};
  operation->failed = operation->timing_out = operation->started = false;
  operation->deadlock = operation->host_interactive = false;
  operation->remaining = operation->held = 0;
  operation->done.store(false, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  give_back_slots(operation);
  free_.push_back(operation);
}

Result<Operation> StreamCore::submit(OperationState* operation,
                                     std::span<const driver::CommandBytes> commands) {
  Operation handle(shared_from_this(), operation);
  const Deadline deadline = driver::after(limits::kSubmitTimeout);
  std::unique_lock lock(mutex_);
  add_reference(operation);  // of the device
  operation->remaining = 1 + operation->held;  // it cannot end before the last command is in
  operation->previous = last_;
  operation->next = nullptr;
  (last_ ? last_->next : first_) = operation;
  last_ = operation;
  if (first_ == operation) {
    head_started_ = Clock::now();
    halted_at_head_ = {};
    heads_.fetch_add(1, std::memory_order_relaxed);
  }
  std::optional<Error> refused;
  for (const auto& command : commands) {
    for (;;) {
      auto posted = queue_->post(command, on_completion, operation);
      if (posted) {
        operation->command_id = *posted;
        ++operation->remaining;
        break;
      }
      refused = std::move(posted.error());
      if (refused->kind() != ErrorKind::ResourceExhausted) break;
      queue_->ring();
      lock.unlock();
      const bool room =
          queue_->wait([&] { return queue_->in_flight() < queue_->capacity(); }, deadline);
      lock.lock();
      if (!room) break;
      refused.reset();
    }
    if (refused) break;
  }
  queue_->ring();
  if (refused) operation->remaining -= std::exchange(operation->held, 0);
  const bool partly = refused && operation->remaining > 1;
  const bool last = --operation->remaining == 0;
  if (last) unlink(operation);
  lock.unlock();
  if (partly) {
    // Part of it is on its way and the caller is about to hear that nothing is: end it for sure.
    queue_->close();
  } else if (last && refused) {
    operation->done.store(true, std::memory_order_release);
    release(operation);
  } else if (last) {
    finish_last(operation);
  }
  if (refused) return std::unexpected(std::move(*refused));
  return handle;
}

void StreamCore::on_completion(void* context, const driver::Completion& completion) {
  auto* operation = static_cast<OperationState*>(context);
  operation->core->finish(operation, completion);
}

void StreamCore::finish(OperationState* operation, const driver::Completion& completion) {
  {
    std::lock_guard lock(mutex_);
    if (!completion.ok() && !operation->failed) {
      operation->failed = true;
      operation->failure = completion;
    }
    if (!operation->started) operation->start_cycle = completion.start_cycle;
    operation->started = true;
    operation->end_cycle = completion.end_cycle;
    if (--operation->remaining > 0) return;
    unlink(operation);
  }
  finish_last(operation);
}

void StreamCore::finish_last(OperationState* operation) {
  // No other thread changes the operation now; the ones that wait look at `done` alone.
  HostMemory& host = operation->host;
  if (host.copy_to && !operation->failed) {
    const std::byte* from = host.staging_slot >= 0
                                ? staging_.data() + static_cast<std::uint64_t>(host.staging_slot) *
                                                        limits::kStagedCopyBytes
                                : host.bounce.data();
    std::memcpy(host.copy_to, from, host.copy_bytes);
  }
  (void)host.mapping.unmap();  // a device that does not confirm is lost; the range stays reserved
  driver::DmaBuffer bounce = std::move(host.bounce);  // goes, or is kept, outside of the lock
  if (operation->launch_slot >= 0) {
    std::memcpy(&operation->report, report_memory(operation->launch_slot),
                sizeof(d1_launch_report));
  }
  {
    std::lock_guard lock(mutex_);
    give_back_slots(operation);
    if (bounce.bytes() > kept_bounce_.bytes() && bounce.bytes() <= limits::kKeptBounceBytes)
      std::swap(bounce, kept_bounce_);
    if (operation->failed && !first_failed_) {
      first_failed_ = operation;
      add_reference(operation);
    }
  }
  operation->done.store(true, std::memory_order_release);
  release(operation);
}

void StreamCore::unlink(OperationState* operation) {
  (operation->previous ? operation->previous->next : first_) = operation->next;
  (operation->next ? operation->next->previous : last_) = operation->previous;
  if (!operation->previous) {
    head_started_ = Clock::now();
    halted_at_head_ = {};
    heads_.fetch_add(1, std::memory_order_relaxed);
  }
  operation->previous = operation->next = nullptr;
}

void StreamCore::give_back_slots(OperationState* operation) {
  if (operation->launch_slot >= 0) free_launch_slots_.push_back(operation->launch_slot);
  if (operation->host.staging_slot >= 0)
    free_staging_slots_.push_back(operation->host.staging_slot);
  operation->launch_slot = operation->host.staging_slot = -1;
}

Result<> StreamCore::attach(OperationState* operation, const void* memory, std::uint64_t bytes,
                            Direction direction) {
  driver::DmaMap& dma = context_->device().dma();
  HostMemory& host = operation->host;
  const bool to_device = direction == Direction::ToDevice;
  const bool fill = direction != Direction::FromDevice;
  // The device writes to it only in the direction where the caller gave a pointer to non-const.
  void* const writable = to_device ? nullptr : const_cast<void*>(memory);
  if (bytes <= limits::kStagedCopyBytes) {
    std::lock_guard lock(mutex_);
    if (!free_staging_slots_.empty()) {
      host.staging_slot = free_staging_slots_.back();
      free_staging_slots_.pop_back();
    }
  }
  if (host.staging_slot >= 0) {
    const auto offset = static_cast<std::uint64_t>(host.staging_slot) * limits::kStagedCopyBytes;
    if (fill) std::memcpy(staging_.data() + offset, memory, bytes);
    host.iova = staging_.iova() + offset;
    host.copy_to = writable;
    host.copy_bytes = bytes;
    return {};
  }
  host.iova = dma.find(memory, bytes);
  if (host.iova != 0) return {};
  if (dma.maps_plain_memory()) {
    auto mapping = dma.map(
        memory, bytes,
        to_device ? driver::DmaAccess::DeviceReads : driver::DmaAccess::DeviceReadsAndWrites);
    if (!mapping) return std::unexpected(std::move(mapping.error()));
    host.mapping = std::move(*mapping);
    host.iova = host.mapping.iova();
    return {};
  }
  {
    std::lock_guard lock(mutex_);
    if (kept_bounce_.bytes() >= bytes) host.bounce = std::move(kept_bounce_);
  }
  if (host.bounce.bytes() == 0) {
    auto bounce = dma.allocate(bytes);
    if (!bounce) return pass_on(bounce, "making a copy of host memory the device can reach");
    host.bounce = std::move(*bounce);
  }
  if (fill) std::memcpy(host.bounce.data(), memory, bytes);
  host.iova = host.bounce.iova();
  host.copy_to = writable;
  host.copy_bytes = bytes;
  return {};
}

Result<std::int32_t> StreamCore::take_launch_slot() {
  const Deadline deadline = driver::after(limits::kSubmitTimeout);
  std::int32_t slot = -1;
  const auto take_one = [&] {
    std::lock_guard lock(mutex_);
    if (free_launch_slots_.empty()) return false;
    slot = free_launch_slots_.back();
    free_launch_slots_.pop_back();
    return true;
  };
  if (take_one() || queue_->wait(take_one, deadline)) return slot;
  if (context_->device().lost()) return std::unexpected(context_->device().lost_error());
  return fail(ErrorKind::ResourceExhausted,
              fmt::format("{} launches are in flight on this stream, its limit, and none has ended "
                          "for {} ms; wait for some first.",
                          limits::kLaunchSlots, limits::kSubmitTimeout.count()));
}

d1_launch* StreamCore::launch_memory(std::int32_t slot) const {
  return reinterpret_cast<d1_launch*>(slots_.data() +
                                      static_cast<std::uint64_t>(slot) * kLaunchSlotBytes);
}
d1_launch_report* StreamCore::report_memory(std::int32_t slot) const {
  return reinterpret_cast<d1_launch_report*>(
      slots_.data() + static_cast<std::uint64_t>(slot) * kLaunchSlotBytes + kReportOffset);
}
std::uint64_t StreamCore::launch_iova(std::int32_t slot) const {
  return slots_.iova() + static_cast<std::uint64_t>(slot) * kLaunchSlotBytes;
}
std::uint64_t StreamCore::report_iova(std::int32_t slot) const {
  return launch_iova(slot) + kReportOffset;
}

bool StreamCore::idle() {
  queue_->reap();
  std::lock_guard lock(mutex_);
  return first_ == nullptr;
}

}  // namespace d1::runtime
