// SPDX-License-Identifier: Apache-2.0
// The Dojo Interface Processor as the host sees it: queues, commands, launches, the log. All of it
// runs in the thread that holds the device's lock, between quanta; doorbells, and the registers
// marked so, may be touched by any thread at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <d1/abi/commands.h>
#include <d1/abi/debug.h>
#include <d1/abi/registers.h>

#include "debug/wait_graph.hpp"
#include "dip/dma_map.hpp"
#include "dip/log_ring.hpp"
#include "fabric.hpp"
#include "faults/fault_injector.hpp"
#include "launch_context.hpp"
#include "scheduler.hpp"

namespace d1::emulator {

// What a hart shows: for the host's queries and for tools.
[[nodiscard]] d1_hart_report report_of(const Node& node, NodeId place, std::uint32_t rank,
                                       unsigned index);

// How a command ended, or that it has not yet.
struct CommandResult {
  enum State : std::uint8_t { Done, Pending } state = Done;
  d1_status status = D1_STATUS_OK;
  std::uint64_t detail = 0;
  std::uint64_t end = 0;  // ticks; 0: at once
};

// Whether launches can still end, and what each of their harts waits for.
struct Verdict {
  d1_debug_verdict head{};
  std::vector<d1_debug_wait> waits;
};

class Dip final : public DipSink {
 public:
  // `faults` may still be under construction.
  Dip(MachineState& machine, Fabric& fabric, Scheduler& scheduler, const LivePage& live,
      FaultInjector& faults);

  // --- with the device's lock ---------------------------------------------------------------
  void write_queue(unsigned queue, unsigned reg, std::uint64_t value);
  [[nodiscard]] std::uint64_t read_queue(unsigned queue, unsigned reg) const;
  // Fetches and carries out what can be; true if anything was done.
  bool process();
  // Gives up all launches and disables all queues.
  void shut_down();
  // The same, and nothing the host made is left: events, grids, the log ring.
  void detach();
  // The same without a word to the host, whose memory is out of reach.
  void cut_off();
  // Launches that use the die fail.
  void lose_die(std::uint32_t die);
  // While no node can run: a launch is under way, or commands stand in a queue that is stuck.
  [[nodiscard]] bool waits_for_faults() const noexcept;
  [[nodiscard]] DmaMap& dma() noexcept { return dma_; }
  [[nodiscard]] LogRing& log() noexcept { return log_; }
  // Called for each completion's vector, with the lock held.
  void set_interrupt(std::function<void(unsigned vector)> handler) {
    interrupt_ = std::move(handler);
  }
  // Host memory behind a device address range, or null (aperture, copies).
  [[nodiscard]] std::uint8_t* device_memory(std::uint64_t address, std::uint64_t bytes) const;
  // The functions of code that will be loaded.
  void name_code(std::uint64_t base, std::span<const std::uint8_t> bytes,
                 std::vector<NamedFunction> functions);
  // For tools (debug/dip_state.cpp).
  [[nodiscard]] std::vector<d1_debug_launch> describe_launches() const;
  [[nodiscard]] std::vector<d1_debug_queue> describe_queues() const;
  [[nodiscard]] bool launches_in_flight() const noexcept { return !launches_.empty(); }
  // Of one launch, or (0) of all; looks and changes nothing (waits.cpp).
  [[nodiscard]] Verdict verdict(std::uint64_t launch_id = 0);

  // --- any thread ---------------------------------------------------------------------------
  void ring_submission(unsigned queue, std::uint32_t tail) noexcept;
  void ring_completion(unsigned queue, std::uint32_t head) noexcept;
  // Completions are held back until some time of the host.
  [[nodiscard]] bool delaying() const noexcept { return delayed_.load() != 0; }
  // Doorbells rung and not yet looked at.
  [[nodiscard]] bool has_work() const noexcept {
    return rung_.load(std::memory_order_seq_cst) != seen_.load(std::memory_order_relaxed);
  }

  // --- DipSink --------------------------------------------------------------------------------
  void node_completed(NodeIndex node, unsigned hart, std::uint64_t value,
                      std::uint64_t time) override;
  void printed(NodeIndex node, unsigned hart, std::uint64_t time, std::string_view text) override;

 private:
  struct Queue {
    std::uint64_t submission = 0, completion = 0, entries = 0, vector = 0;
    bool enabled = false;
    std::uint32_t head = 0;                   // next submission to fetch
    std::uint32_t completed = 0;              // completions written, not modulo
    std::atomic<std::uint32_t> tail{0};       // doorbells
    std::atomic<std::uint32_t> consumed{0};
    std::atomic<bool> stalled{false};         // a command waits for room among the completions
    std::uint64_t clock = 0;                  // ticks: when its last command ended
    std::uint64_t started = 0;                // of the command in hand
    bool busy = false;                        // a command is pending
    d1_command_header current{};
    d1_event_command waiting{};               // when current is D1_COMMAND_WAIT
    CommandFaults faults;                     // of the command in hand
    std::optional<CommandResult> delayed;     // its completion is held back until `due`
    std::chrono::steady_clock::time_point due;
  };
  struct Launch : LaunchContext {
    unsigned queue = 0;
    std::uint64_t report = 0;
    std::uint64_t cycle_limit = 0;
    std::uint64_t start = 0, end = 0;  // ticks
    std::uint32_t outstanding = 0;
    bool host_interactive = false;
    std::vector<std::array<std::uint64_t, 2>> before;  // by rank: instructions, matrix ticks
  };
  struct KnownGrid {
    std::shared_ptr<const Grid> grid;  // null: the handle is free
    std::shared_ptr<const GridRoutes> routes;  // made at the first use
  };
  struct Event {
    std::uint64_t value = 0;
    std::uint64_t when = 0;
  };
  union Command {
    d1_command_header header;
    d1_copy copy;
    d1_fill fill;
    d1_grid_command grid;
    d1_program program;
    d1_launch_command launch;
    d1_abort abort;
    d1_semaphore_command semaphore;
    d1_event_command event;
    d1_reset reset;
    d1_query query;
    std::uint8_t bytes[64];
  };

  bool process_queue(unsigned index);
  bool finish_waiting(unsigned index);
  void set_delayed(Queue& queue, std::optional<CommandResult> delayed) noexcept;
  [[nodiscard]] bool completion_full(const Queue& queue) const;
  void complete(unsigned index, const CommandResult& result);
  bool check_limits();

  CommandResult execute(unsigned queue, const Command& command);
  // faulty_commands.cpp
  [[nodiscard]] static bool uses_host_memory(const Command& command) noexcept;
  [[nodiscard]] std::optional<std::uint32_t> lost_die_of(const Command& command) const;
  [[nodiscard]] std::optional<CommandResult> memory_error_of(const d1_copy& command);
  CommandResult copy(const d1_copy& command, std::uint64_t start);
  CommandResult copy_linear(const d1_copy& command, std::uint64_t start);
  CommandResult copy_grid(const d1_copy& command, const Grid& grid, std::uint64_t start);
  CommandResult fill(const d1_fill& command, std::uint64_t start);
  CommandResult define_grid(const d1_grid_command& command);
  CommandResult load_program(const d1_program& command, std::uint64_t start);
  CommandResult launch(unsigned queue, const d1_launch_command& command, std::uint64_t start);
  CommandResult abort(const d1_abort& command);
  CommandResult post(const d1_semaphore_command& command, std::uint64_t start);
  CommandResult signal(const d1_event_command& command, std::uint64_t start);
  CommandResult wait(Queue& queue, const d1_event_command& command, std::uint64_t start);
  CommandResult reset(const d1_reset& command);
  CommandResult query(const d1_query& command);
  CommandResult query_harts(const d1_query& command, const Grid& grid);
  CommandResult query_counters(const d1_query& command, const Grid& grid);
  CommandResult query_waits(const d1_query& command);
  [[nodiscard]] WaitGraph wait_graph() const;
  [[nodiscard]] WaitGraph::Command command_of(const std::uint8_t* entry) const;
  [[nodiscard]] WaitGraph::Queue commands_of(unsigned queue);
  void add_waits(const WaitGraph& graph, std::uint32_t launch, Verdict& verdict) const;

  [[nodiscard]] const std::shared_ptr<const Grid>* grid(std::uint32_t handle) const;
  const std::shared_ptr<const GridRoutes>& routes(std::uint32_t handle);
  std::shared_ptr<CodeImage> code_image(std::uint64_t base, std::span<const std::uint8_t> bytes);
  static void zero(std::uint8_t* at, std::uint64_t bytes);
  void activate_touched();
  [[nodiscard]] NodeIndex node_at(const Grid& grid, std::uint32_t rank) const;
  void written(NodeIndex node, std::uint64_t offset, std::uint64_t bytes);
  void start_nodes(Launch& launch, std::uint64_t departure);
  void stop_launch(Launch& launch, const CommandResult& result);
  void finish_launch(Launch& launch, const CommandResult& result);
  void write_report(const Launch& launch, const CommandResult& result, NodeIndex failed,
                    int failed_hart);

  MachineState& machine_;
  Fabric& fabric_;
  Scheduler& scheduler_;
  DmaMap dma_;
  LogRing log_;
  FaultInjector& faults_;
  std::function<void(unsigned)> interrupt_;
  std::array<Queue, D1_QUEUE_PAIRS> queues_;
  std::array<KnownGrid, D1_GRIDS> grids_;
  std::vector<Event> events_;
  std::vector<std::unique_ptr<Launch>> launches_;
  // By hash of place and bytes.
  std::unordered_map<std::uint64_t, std::weak_ptr<CodeImage>> images_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const CodeNames>> names_;
  std::uint64_t next_launch_ = 1;
  std::vector<std::uint64_t> start_times_;  // by rank, while a launch is begun
  NodeIndex failed_node_ = 0;
  int failed_hart_ = -1;
  std::atomic<std::uint64_t> rung_{0}, seen_{0};
  std::atomic<unsigned> delayed_{0};  // completions
};

}  // namespace d1::emulator
