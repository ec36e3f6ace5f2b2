// SPDX-License-Identifier: Apache-2.0
// What a Stream and its Operations share: the queue, the operations in flight, their slots in DMA
// memory. Lock order: a queue's reap lock, then mutex_, then a queue's post lock.
#pragma once

#include <d1/runtime/stream.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace d1::runtime {

enum class OperationKind : std::uint8_t {
  Copy, Fill, Load, Launch, Record, WaitForEvent, Fence, File
};

// Host memory of a copy while the device uses it.
struct HostMemory {
  std::uint64_t iova = 0;
  driver::DmaMapping mapping;      // plain memory, mapped for this copy
  std::int32_t staging_slot = -1;  // a small copy, by way of the stream's staging buffer
  driver::DmaBuffer bounce;        // a large one, where plain memory cannot be mapped
  void* copy_to = nullptr;         // where staged bytes go when it has ended
  std::uint64_t copy_bytes = 0;
};

struct OperationState {
  // References: handles, and one while in flight. At 0 it goes back to the core's pool.
  std::atomic<std::uint32_t> references{0};
  std::atomic<bool> done{false};  // released after everything else is final
  StreamCore* core = nullptr;

  // Guarded by the core's mutex until done.
  OperationState* previous = nullptr;
  OperationState* next = nullptr;
  OperationKind kind = OperationKind::Fence;
  // Commands not ended, what the host does itself, and 1 while more are being submitted.
  std::uint32_t remaining = 0;
  std::uint32_t held = 0;  // of them, what the host does
  bool failed = false;
  bool timing_out = false;  // somebody is ending it
  bool deadlock = false;    // since it can never end
  bool started = false;     // start_cycle is known
  driver::Completion failure;
  std::uint64_t start_cycle = 0, end_cycle = 0;
  std::uint16_t command_id = 0;  // of its last command
  std::optional<Error> error;    // in words, once somebody asked

  HostMemory host;
  std::shared_ptr<const BufferState> buffers[2];

  std::shared_ptr<const Program> program;  // of a launch, as all below
  std::shared_ptr<const Grid> grid;
  std::string_view kernel;  // name, in the program
  std::int32_t launch_slot = -1;
  std::chrono::nanoseconds timeout{0};
  bool host_interactive = false;
  std::string hang_report;
  d1_launch_report report{};
};

// Part of a buffer that is in one piece on the device.
struct Piece {
  std::uint64_t address = 0, bytes = 0;
};

[[nodiscard]] Result<> check_range(const Buffer& buffer, std::uint64_t offset,
                                   std::uint64_t bytes);
// A range in pieces, in order. A replicated buffer is read on its first node.
[[nodiscard]] std::vector<Piece> pieces(const BufferState& buffer, std::uint64_t offset,
                                        std::uint64_t bytes);
// What copies [offset, + bytes) of a buffer from host memory the device can reach, or there.
[[nodiscard]] std::vector<driver::CommandBytes> copy_from_host(const BufferState& to,
                                                               std::uint64_t offset,
                                                               std::uint64_t iova,
                                                               std::uint64_t bytes);
[[nodiscard]] std::vector<driver::CommandBytes> copy_to_host(std::uint64_t iova,
                                                             const BufferState& from,
                                                             std::uint64_t offset,
                                                             std::uint64_t bytes);

class FileWorker;  // file_worker.hpp

class StreamCore : public std::enable_shared_from_this<StreamCore> {
 public:
  static Result<std::shared_ptr<StreamCore>> create(std::shared_ptr<Context> context,
                                                    std::uint32_t entries);
  ~StreamCore();

  Context& context() noexcept { return *context_; }

  // A fresh operation with one reference, the caller's.
  OperationState* take(OperationKind kind);
  void add_reference(OperationState* operation) noexcept {
    operation->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release(OperationState* operation);

  // Hands commands of one operation to the device. Takes over the caller's reference.
  Result<Operation> submit(OperationState* operation,
                           std::span<const driver::CommandBytes> commands);
  Result<Operation> submit(OperationState* operation, const driver::CommandBytes& command) {
    return submit(operation, std::span(&command, 1));
  }

  // A program, after everything submitted before: other streams' launches on the same nodes are
  // theirs to order. Waits for it, so that no stream launches what is not there yet.
  Result<> load(Context::ProgramLoad load);

  // --- copies of files: file_worker.cpp; the operation has one part that is held ----------------
  // Made when first asked for.
  [[nodiscard]] Result<FileWorker*> files();
  // Waits until all before the operation has ended, or it has failed: which of them.
  enum class Turn : std::uint8_t { Come, Failed };
  [[nodiscard]] Turn wait_for_turn(OperationState* operation);
  void end_held(OperationState* operation, Result<> result);

  // Completes what the device has ended.
  void poll() { queue_->reap(); }
  Result<> wait(OperationState* operation, driver::Deadline deadline);
  Result<> synchronize(driver::Deadline deadline);
  [[nodiscard]] bool idle();
  void close();

  // FromDeviceRows: the device writes only parts of the memory, the rest must survive.
  enum class Direction : std::uint8_t { ToDevice, FromDevice, FromDeviceRows };
  // Makes host memory reachable; from the device, staged bytes are copied out at the end.
  Result<> attach(OperationState* operation, const void* memory, std::uint64_t bytes,
                  Direction direction);

  // A launch slot: struct d1_launch, and the report behind it. Waits for one if all are in use.
  Result<std::int32_t> take_launch_slot();
  [[nodiscard]] d1_launch* launch_memory(std::int32_t slot) const;
  [[nodiscard]] d1_launch_report* report_memory(std::int32_t slot) const;
  [[nodiscard]] std::uint64_t launch_iova(std::int32_t slot) const;
  [[nodiscard]] std::uint64_t report_iova(std::int32_t slot) const;

 private:
  explicit StreamCore(std::shared_ptr<Context> context);
  static void on_completion(void* operation, const driver::Completion& completion);
  void finish(OperationState* operation, const driver::Completion& completion);
  void finish_last(OperationState* operation);
  void unlink(OperationState* operation);
  void give_back_slots(OperationState* operation);
  // When the oldest operation is a launch: when its time-out passes, if it has one; when somebody
  // should look whether it can still end.
  struct HeadDeadlines {
    driver::Deadline expiry = driver::Deadline::max(), look = driver::Deadline::max();
  };
  [[nodiscard]] HeadDeadlines head_deadlines();
  [[nodiscard]] HeadDeadlines head_deadlines_locked() const;
  // hang_watch.cpp
  void end_expired_launch();
  void look_at_launch();
  [[nodiscard]] OperationState* take_look();
  [[nodiscard]] bool may_be_stuck(const OperationState& operation);
  [[nodiscard]] Result<Context::Waits> ask_waits(const OperationState& operation, bool all_harts);
  [[nodiscard]] bool claim(OperationState* operation);
  void end_launch(OperationState* operation, std::string report, bool deadlock);
  Error describe_failure(OperationState* operation);

  const std::shared_ptr<Context> context_;
  driver::DmaBuffer slots_;  // of launches
  driver::DmaBuffer staging_;
  driver::DmaBuffer kept_bounce_;  // guarded by mutex_, as is all below
  std::unique_ptr<driver::QueuePair> queue_;  // dies first: completions use the above
  std::unique_ptr<FileWorker> files_;         // even before: it waits on the queue

  std::mutex mutex_;
  std::deque<OperationState> pool_;
  std::vector<OperationState*> free_;
  std::vector<std::int32_t> free_launch_slots_, free_staging_slots_;
  OperationState* first_ = nullptr;  // in flight, in the order of submission
  OperationState* last_ = nullptr;
  driver::Clock::time_point head_started_;
  // What is known of the time for which tools have halted the machine: since first_ is the first,
  // and in all. Only asked for when a launch seems to have run out of time.
  std::chrono::milliseconds halted_at_head_{}, halted_known_{};
  std::atomic<std::uint64_t> heads_ = 0;    // counts changes of first_
  driver::Deadline next_look_{};            // at a launch, whether it can end
  driver::Clock::time_point next_ask_{};    // the same where emulated time goes on
  std::uint64_t look_cycle_ = 0;            // emulated time at the last look
  OperationState* first_failed_ = nullptr;  // since the last synchronize(), with a reference
};

// Trap and hang reports (reports.cpp, deadlock_report.cpp).
[[nodiscard]] Error trap_error(Context& context, const Program& program, std::string_view kernel,
                               const Grid& grid, const d1_launch_report& report);
// What the harts of a grid do, grouped; a text of a few lines.
[[nodiscard]] std::string hang_report(Context& context, const Program* program, const Grid& grid);
// Why a launch can never end, and who waits for whom; what still moves in one that may end. Places
// are read off `program`.
[[nodiscard]] std::string deadlock_report(const OperationState& operation,
                                          const Context::Waits& waits);
[[nodiscard]] std::string slow_report(const OperationState& operation, const Context::Waits& waits);

}  // namespace d1::runtime
