// SPDX-License-Identifier: Apache-2.0
// Streams: operations that run on the device one after the other, and handles to each of them.
//
// Every accepted operation ends exactly once: ok, failed, cancelled, timed out, or device lost. An
// operation that fails does not stop the ones behind it; the first failure nobody has asked for is
// what synchronize() returns.
//
// Ownership: a Stream owns a queue pair and keeps its Context alive; closing it cancels what is in
// flight. Operations keep alive what they need of buffers, programs and grids. Host memory given to
// a copy must stay valid (and, for copies to the device, unchanged) until the operation has ended.
// Threads: a Stream and an Operation may be used from any thread; operations submitted by several
// threads run in the order of their submission.
// Blocking: submitting waits only for room in a full queue, at most limits::kSubmitTimeout; wait()
// and synchronize() wait until their deadline at most (plus the time to end a launch whose own
// time-out passes meanwhile, or which can never end: limits::kHangQuery and limits::kAbortGrace).
#pragma once

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>
#include <d1/base/error.hpp>
#include <d1/driver/limits.hpp>
#include <d1/runtime/arguments.hpp>
#include <d1/runtime/buffer.hpp>
#include <d1/runtime/context.hpp>
#include <d1/runtime/program.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

namespace d1::runtime {

class StreamCore;
struct OperationState;

struct LaunchOptions {
  std::uint32_t harts = D1_HARTS;              // 1 to D1_HARTS on each node
  std::uint32_t stack_bytes = D1_STACK_BYTES;  // of each hart, a multiple of 16
  std::chrono::nanoseconds timeout{0};         // host time from its start; 0: none
  std::uint64_t cycle_limit = 0;               // emulated cycles; 0: none
  // While it runs the host will post its semaphores, write its memory, or launch something that
  // does. Else a launch that only such an act could let go on ends as a Deadlock, with a report of
  // who waits for whom, as soon as somebody waits for it.
  bool host_interactive = false;
};

class Operation {
 public:
  Operation() = default;
  Operation(std::shared_ptr<StreamCore> core, OperationState* state) noexcept;
  Operation(Operation&& other) noexcept;
  Operation& operator=(Operation&& other) noexcept;
  ~Operation();

  [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }
  // Has ended, well or not. Looks, and never waits.
  [[nodiscard]] bool done() const;
  // Its verdict, or Timeout if it has not ended by then; it goes on in that case.
  [[nodiscard]] Result<> wait(driver::Deadline deadline) const;

  // Once it has ended: emulated cycles.
  [[nodiscard]] std::uint64_t start_cycle() const noexcept;
  [[nodiscard]] std::uint64_t end_cycle() const noexcept;
  // Of a launch that has ended.
  [[nodiscard]] const d1_launch_report& report() const noexcept;

 private:
  [[nodiscard]] bool ended() const noexcept;

  std::shared_ptr<StreamCore> core_;
  OperationState* state_ = nullptr;
};

// A point in a stream that other streams can wait for. Recording it again moves it.
class Event {
 public:
  [[nodiscard]] static Result<Event> create(std::shared_ptr<Context> context);
  Event(Event&& other) noexcept = default;
  Event& operator=(Event&& other) noexcept;
  ~Event();

  [[nodiscard]] bool recorded() const noexcept { return static_cast<bool>(recording_); }
  // Of the last recording; an event that was not recorded is an Invalid error.
  [[nodiscard]] Result<> wait(driver::Deadline deadline) const;
  // Emulated time at which the stream came to it, once it has.
  [[nodiscard]] Result<std::uint64_t> cycle() const;

 private:
  friend class Stream;
  Event(std::shared_ptr<Context> context, Context::EventSlot slot)
      : context_(std::move(context)), slot_(slot) {}

  std::shared_ptr<Context> context_;
  Context::EventSlot slot_;
  Operation recording_;
};

struct Rows {
  std::uint64_t row_bytes = 0;
  std::uint32_t rows = 0;
  std::uint64_t device_pitch = 0, host_pitch = 0;  // bytes from row to row
};

class Stream {
 public:
  [[nodiscard]] static Result<Stream> create(std::shared_ptr<Context> context,
                                             std::uint32_t entries = driver::limits::kQueueEntries);
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  // Bytes [offset, + bytes) of a buffer, in the order of its elements whatever its placement.
  [[nodiscard]] Result<Operation> copy_in(const Buffer& to, std::uint64_t offset, const void* from,
                                          std::uint64_t bytes);
  [[nodiscard]] Result<Operation> copy_out(void* to, const Buffer& from, std::uint64_t offset,
                                           std::uint64_t bytes);
  [[nodiscard]] Result<Operation> copy(const Buffer& to, std::uint64_t to_offset,
                                       const Buffer& from, std::uint64_t from_offset,
                                       std::uint64_t bytes);
  // Rectangles; only of buffers in one piece (HBM or one node).
  [[nodiscard]] Result<Operation> copy_in_rows(const Buffer& to, std::uint64_t offset,
                                               const void* from, const Rows& rows);
  [[nodiscard]] Result<Operation> copy_out_rows(void* to, const Buffer& from, std::uint64_t offset,
                                                const Rows& rows);
  // Bytes [offset, + bytes) of a buffer from a file, or to it, from `file_offset` on, in the
  // stream's order. Goes straight between the page cache and device memory where this process has
  // that mapped. The file may be closed at once; what was copied before an error stays.
  [[nodiscard]] Result<Operation> read_file(const Buffer& to, std::uint64_t offset, int file,
                                            std::uint64_t file_offset, std::uint64_t bytes);
  [[nodiscard]] Result<Operation> write_file(int file, std::uint64_t file_offset,
                                             const Buffer& from, std::uint64_t offset,
                                             std::uint64_t bytes);
  // pattern_bytes: 1, 2, 4 or 8; offset and bytes are multiples of it.
  [[nodiscard]] Result<Operation> fill(const Buffer& to, std::uint64_t offset, std::uint64_t bytes,
                                       std::uint64_t pattern, std::uint32_t pattern_bytes);

  // If the grid's nodes do not have the program, it is loaded in this stream's order first; that
  // part waits, at most limits::kSubmitTimeout. Launches of other streams on these nodes must have
  // ended.
  [[nodiscard]] Result<Operation> launch(const Kernel& kernel,
                                         const std::shared_ptr<const Grid>& grid,
                                         std::span<const Argument> arguments,
                                         const LaunchOptions& options = {});

  [[nodiscard]] Result<Operation> record(Event& event);
  [[nodiscard]] Result<Operation> wait_for(const Event& event);
  // An operation that does nothing: ends when everything before it has.
  [[nodiscard]] Result<Operation> fence();

  // Until everything submitted so far has ended.
  [[nodiscard]] Result<> synchronize(driver::Deadline deadline);
  [[nodiscard]] bool idle() const;
  void close();

 private:
  explicit Stream(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}
  std::shared_ptr<StreamCore> core_;
};

}  // namespace d1::runtime
