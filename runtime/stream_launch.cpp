// SPDX-License-Identifier: Apache-2.0
// Streams, launches and events.
#include <fmt/format.h>

#include <cstring>

#include "stream_core.hpp"

namespace d1::runtime {

Result<Stream> Stream::create(std::shared_ptr<Context> context, std::uint32_t entries) {
  auto core = StreamCore::create(std::move(context), entries);
  if (!core) return std::unexpected(std::move(core.error()));
  return Stream(std::move(*core));
}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

Stream::~Stream() { close(); }

void Stream::close() {
  if (core_) core_->close();
}

Result<> Stream::synchronize(driver::Deadline deadline) { return core_->synchronize(deadline); }

bool Stream::idle() const { return core_->idle(); }

Result<Operation> Stream::fence() {
  d1_reset command{};  // any command without fields of its own
  command.header.opcode = D1_COMMAND_FENCE;
  return core_->submit(core_->take(OperationKind::Fence), driver::to_bytes(command));
}

Result<Operation> Stream::launch(const Kernel& kernel, const std::shared_ptr<const Grid>& grid,
                                 std::span<const Argument> arguments,
                                 const LaunchOptions& options) {
  if (!grid) return fail(ErrorKind::Invalid, "A launch needs a grid, and none was given.");
  if (options.harts < 1 || options.harts > D1_HARTS) {
    return fail(ErrorKind::Invalid,
                fmt::format("Kernel '{}' cannot run on {} harts of a node; a node has 1 to {}.",
                            kernel.name(), options.harts, D1_HARTS));
  }
  if (options.stack_bytes == 0 || options.stack_bytes % 16 != 0) {
    return fail(ErrorKind::Invalid,
                fmt::format("A stack of {} bytes was asked for; give a multiple of 16.",
                            options.stack_bytes));
  }
  Context& context = core_->context();
  auto signature = kernel.signature();
  if (!signature) return std::unexpected(std::move(signature.error()));
  ArgumentBlock block;
  if (auto result = marshal(**signature, arguments, block); !result) {
    return std::unexpected(std::move(result.error()));
  }
  if (auto result = context.check_stacks(*grid, options.harts, options.stack_bytes); !result) {
    return pass_on(result, fmt::format("launching '{}'", kernel.name()));
  }
  if (!context.has_program(*kernel.program(), *grid)) {
    auto result = context.ensure_program(
        *kernel.program(), *grid,
        [this](Context::ProgramLoad load) { return core_->load(std::move(load)); });
    if (!result) return pass_on(result, fmt::format("launching '{}'", kernel.name()));
  }
  auto slot = core_->take_launch_slot();
  if (!slot) return std::unexpected(std::move(slot.error()));

  OperationState* operation = core_->take(OperationKind::Launch);
  operation->launch_slot = *slot;
  operation->program = kernel.program();
  operation->grid = grid;
  operation->kernel = kernel.name();
  operation->timeout = options.timeout;
  operation->host_interactive = options.host_interactive;

  d1_launch& launch = *core_->launch_memory(*slot);
  launch.entry = kernel.entry();
  launch.harts = options.harts;
  launch.stack_bytes = options.stack_bytes;
  launch.arguments = block.slots;
  launch.float_arguments = block.floats;
  std::memcpy(launch.float_argument, block.float_argument.data(), block.floats * 8);
  std::memcpy(launch.argument, block.argument.data(), block.slots * 8);
  core_->report_memory(*slot)->failed = 0;

  d1_launch_command command{};
  command.header.opcode = D1_COMMAND_LAUNCH;
  command.header.grid = grid->handle();
  if (options.host_interactive) command.header.flags = D1_LAUNCH_HOST_INTERACTIVE;
  command.launch = core_->launch_iova(*slot);
  command.report = core_->report_iova(*slot);
  command.cycle_limit = options.cycle_limit;
  return core_->submit(operation, driver::to_bytes(command));
}

Result<Event> Event::create(std::shared_ptr<Context> context) {
  auto slot = context->take_event();
  if (!slot) return std::unexpected(std::move(slot.error()));
  return Event(std::move(context), *slot);
}

Event& Event::operator=(Event&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(slot_, other.slot_);
  std::swap(recording_, other.recording_);
  return *this;
}

Event::~Event() {
  // A recording still in flight raises the event's value to slot_.value: its next owner starts
  // there.
  if (context_) context_->give_event(slot_);
}

Result<> Event::wait(driver::Deadline deadline) const {
  if (!recording_) return fail(ErrorKind::Invalid, "The event was never recorded on a stream.");
  return recording_.wait(deadline);
}

Result<std::uint64_t> Event::cycle() const {
  if (!recording_) return fail(ErrorKind::Invalid, "The event was never recorded on a stream.");
  if (!recording_.done()) {
    return fail(ErrorKind::Invalid,
                "The event's stream has not come to it yet; wait for it first.");
  }
  return recording_.end_cycle();
}

Result<Operation> Stream::record(Event& event) {
  d1_event_command command{};
  command.header.opcode = D1_COMMAND_SIGNAL;
  command.event = event.slot_.index;
  command.value = event.slot_.value + 1;
  OperationState* operation = core_->take(OperationKind::Record);
  core_->add_reference(operation);
  Operation kept(core_, operation);
  auto recorded = core_->submit(operation, driver::to_bytes(command));
  if (recorded) {
    event.slot_.value = command.value;
    event.recording_ = std::move(kept);
  }
  return recorded;
}

Result<Operation> Stream::wait_for(const Event& event) {
  if (!event.recorded()) {
    return fail(
        ErrorKind::Invalid,
        "The event was never recorded on a stream, so nothing would end this wait; record it "
        "first.");
  }
  d1_event_command command{};
  command.header.opcode = D1_COMMAND_WAIT;
  command.event = event.slot_.index;
  command.value = event.slot_.value;
  return core_->submit(core_->take(OperationKind::WaitForEvent), driver::to_bytes(command));
}

}  // namespace d1::runtime
