// SPDX-License-Identifier: Apache-2.0
// A device in use: its grids, its memory, its programs, and a queue for the runtime's own commands.
//
// Ownership: shared; everything made from a Context keeps it alive.
// Threads: every member may be called from any thread.
// Blocking: grid(), load_program(), reset() and the queries send a command of their own and wait
// for it, at most limits::kAdminTimeout; everything else waits never.
#pragma once

#include <d1/abi/commands.h>
#include <d1/abi/debug.h>
#include <d1/base/error.hpp>
#include <d1/driver/device.hpp>
#include <d1/runtime/buffer.hpp>
#include <d1/runtime/grid.hpp>
#include <d1/runtime/memory.hpp>
#include <d1/runtime/program.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace d1::runtime {

class Stream;

class Context : public std::enable_shared_from_this<Context> {
 public:
  [[nodiscard]] static Result<std::shared_ptr<Context>> open(const driver::DeviceOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<Context>> open(
      std::unique_ptr<driver::Device> device);
  ~Context();

  [[nodiscard]] driver::Device& device() noexcept { return *device_; }
  [[nodiscard]] const driver::DeviceInfo& info() const noexcept { return device_->info(); }

  // Every usable node, 1 x N.
  [[nodiscard]] Result<std::shared_ptr<const Grid>> all_nodes();
  [[nodiscard]] Result<std::shared_ptr<const Grid>> grid(const GridShape& shape);

  [[nodiscard]] Result<Buffer> allocate(const BufferRequest& request);
  [[nodiscard]] Result<HostBuffer> allocate_host(
      std::uint64_t bytes, driver::Warmth warmth = driver::Warmth::PreFaulted);

  // Puts a program on all nodes of a grid, in place of what was there. No launch may be running on
  // those nodes. Its globals are as the file has them afterwards.
  [[nodiscard]] Result<> load_program(const Program& program, const Grid& grid);
  struct ProgramLoad {
    std::vector<driver::CommandBytes> commands;
    driver::DmaBuffer memory;  // what they read; must live until they have ended
  };
  // Carries out the commands of a load, one after the other, and waits for them.
  using Loader = std::function<Result<>(ProgramLoad load)>;
  // Loads it by `loader` unless it is there already.
  [[nodiscard]] Result<> ensure_program(const Program& program, const Grid& grid,
                                        const Loader& loader);
  [[nodiscard]] bool has_program(const Program& program, const Grid& grid) const;

  // Back to the boot ROM; launches on these nodes end as cancelled. Programs stay loaded.
  [[nodiscard]] Result<> reset(const Grid& grid);
  [[nodiscard]] Result<std::vector<d1_hart_report>> query_harts(const Grid& grid);
  [[nodiscard]] Result<d1_counters> query_counters(const Grid& grid);
  // Whether a launch under way can ever end, and what `most` of its harts do at most, by rank.
  // Waits limits::kHangQuery at most.
  struct Waits {
    d1_debug_verdict verdict{};
    std::vector<d1_debug_wait> harts;
  };
  [[nodiscard]] Result<Waits> query_waits(unsigned queue, std::uint16_t command_id,
                                          std::uint64_t most);

  // A command of the runtime's own, in order with the other ones; the device's verdict, or a
  // Timeout. `keep` lives until the device is done with it, also after a time-out.
  [[nodiscard]] Result<driver::Completion> execute(const driver::CommandBytes& command,
                                                   driver::Deadline deadline,
                                                   std::shared_ptr<const void> keep = nullptr);

  // Whether larger stacks than the default hit a buffer.
  [[nodiscard]] Result<> check_stacks(const Grid& grid, std::uint32_t harts,
                                      std::uint32_t stack_bytes);

  struct EventSlot {
    std::uint32_t index = 0;
    std::uint64_t value = 0;  // last one signalled or to be signalled
  };
  [[nodiscard]] Result<EventSlot> take_event();
  void give_event(EventSlot slot);

 private:
  friend class Grid;
  friend struct BufferState;
  explicit Context(std::unique_ptr<driver::Device> device);
  [[nodiscard]] Result<std::vector<std::uint32_t>> query_topology(std::uint32_t handle,
                                                                  std::uint64_t nodes);
  // A query whose answer has `bytes` at most; shrunk to what the device wrote.
  [[nodiscard]] Result<std::vector<std::byte>> query(d1_query command, std::uint64_t bytes,
                                                     driver::Deadline deadline);
  [[nodiscard]] Result<> load_with(const Program& program, const Grid& grid, const Loader& loader);
  // With load_mutex_: takes the nodes from the programs that have them.
  [[nodiscard]] Result<ProgramLoad> plan_load(const Program& program, const Grid& grid);
  void name_code(const ElfImage& image);
  void note_loaded(const Program& program, const Grid& grid);
  void note_resident(const Program& program, const Grid& grid);
  void free_grid(std::uint32_t handle);
  void free_buffer(const BufferState& buffer);

  std::unique_ptr<driver::Device> device_;
  std::unique_ptr<driver::QueuePair> admin_;

  std::mutex mutex_;
  std::weak_ptr<const Grid> all_nodes_;
  std::vector<bool> grid_handles_;
  SramAllocator sram_;
  HbmAllocator hbm_;
  std::vector<EventSlot> free_events_;
  std::uint32_t next_event_ = 0;

  // Which program each node has; its nodes are in no other entry.
  struct Resident {
    std::uint64_t program = 0;
    NodeSet nodes;
  };
  std::mutex load_mutex_;  // one load at a time; guards residents_; taken before mutex_
  std::vector<Resident> residents_;
  std::atomic<std::uint64_t> load_epoch_ = 1;
};

}  // namespace d1::runtime
