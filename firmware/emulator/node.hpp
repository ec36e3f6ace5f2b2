// SPDX-License-Identifier: Apache-2.0
// One D1 node: its harts, semaphores, barrier unit and its window on SRAM. During a quantum exactly
// one host thread runs a node, and it touches only the node's own state and that thread's outbox;
// between quanta only the committing thread touches nodes. So nothing here locks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <boost/container/small_vector.hpp>

#include <d1/abi/debug.h>
#include <d1/abi/mailbox.h>
#include <d1/isa/memory.hpp>

#include "engine/engine.hpp"
#include "launch_context.hpp"
#include "packet.hpp"

namespace d1::emulator {

class MachineState;  // machine_state.hpp: what nodes look up about the machine

class alignas(64) Node final : public isa::Environment {
 public:
  Node(const MachineState& machine, NodeIndex id);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] NodeIndex id() const noexcept { return id_; }
  [[nodiscard]] const isa::Hart& hart(unsigned index) const { return harts_[index]; }
  [[nodiscard]] std::uint32_t semaphore(unsigned index) const {
    return static_cast<std::uint32_t>(value_at(index, ~std::uint64_t{0}));
  }
  [[nodiscard]] LaunchContext* launch() const noexcept { return launch_; }
  // In the grid of the launch.
  [[nodiscard]] std::uint32_t rank() const noexcept { return rank_; }
  [[nodiscard]] const CodeView& code() const noexcept { return code_; }
  // Retired by all harts since the node was first woken.
  [[nodiscard]] std::uint64_t instructions() const noexcept { return retired_; }
  // A bit for each hart: that a fault holds; that has arrived at a barrier, of the grid only while
  // the node as a whole has not.
  [[nodiscard]] unsigned held_harts() const noexcept { return held_harts_; }
  [[nodiscard]] unsigned at_node_barrier() const noexcept { return node_barrier_.arrived; }
  [[nodiscard]] unsigned at_grid_barrier() const noexcept { return grid_barrier_.arrived; }
  // Busy ticks of each shared unit since the node was first woken.
  [[nodiscard]] const std::array<std::uint64_t, 8>& unit_ticks() const noexcept {
    return units_.busy;
  }

  // For tools (debug/): semaphores, barriers and transfers.
  void describe(d1_debug_node_state& state) const;
  // Between quanta; not its status, clock or what it waits for.
  [[nodiscard]] isa::Hart& hart_to_change(unsigned index) { return harts_[index]; }

  // --- between quanta -----------------------------------------------------------------------
  // The launch that the node is part of from now on, or null. Its parameters are put into the
  // mailbox when the node runs next: that is when its SRAM is in the host's caches.
  void set_launch(LaunchContext* launch, std::uint32_t rank = 0) noexcept {
    launch_ = launch;
    rank_ = rank;
    mailbox_due_ = launch != nullptr;
  }
  void set_program(std::shared_ptr<CodeImage> image) { code_.program = std::move(image); }
  // All harts back to reset, semaphores to zero; SRAM is left alone.
  void reset();
  // A post arrives; wakes whoever it lets go on. Returns false past the count's limit (saturates).
  bool deliver_post(unsigned semaphore, std::uint64_t count, std::uint64_t arrival);
  // A remote access of a parked hart came back.
  void deliver_response(unsigned hart, std::uint64_t data, std::uint64_t arrival);
  void deliver_barrier(std::uint64_t arrival);
  // Bytes of SRAM were written from outside: reservations on them end.
  void break_reservations(std::uint64_t offset, std::uint64_t bytes) noexcept {
    if (harts_[0].reservations_held)
      isa::break_reservations(harts_[0], offset, static_cast<unsigned>(bytes));
  }
  // Of a descriptor of the hart: the source is reusable (or the data here); the far end is reached.
  void transfer_local(unsigned hart, std::uint64_t when);
  void transfer_far(unsigned hart, std::uint64_t when);
  // Faults (faults/). These harts, a bit each, do not run until they are let go, at `now`.
  void hold(unsigned harts, std::uint64_t now) noexcept;
  // SRAM or HBM has lost what is at this address: these harts, a bit each, enter their trap handler
  // for it, but for those that have none yet.
  void memory_error(unsigned harts, std::uint64_t address, std::uint64_t now) noexcept;
  static constexpr unsigned kAllHarts = (1u << isa::kHartsPerNode) - 1;
  // Turns take so many times as long.
  void set_slowness(std::uint16_t factor) noexcept { slowness_ = factor; }
  // Earliest time at which a hart can run, or kNever.
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  [[nodiscard]] std::uint64_t next_time() const noexcept {
    return std::min({ready_at_[0], ready_at_[1], ready_at_[2], ready_at_[3]});
  }

  // --- in a quantum -------------------------------------------------------------------------
  // Runs all harts that can run before `end` (ticks). `lone`: no other node is active, so stop
  // after the first turn that sent something. slice: ticks by which harts may run apart.
  // Which harts had a turn, a bit each.
  unsigned run(Engine& engine, Outbox& outbox, std::uint64_t end, std::uint64_t slice, bool lone);
  // The node is to be looked at soon: asks the host for the lines of its cache that hold what says
  // whether and when it runs; later for those of the harts that run before `end`, and for what of
  // SRAM they will need first. On a large machine that misses the TLB, and a thread waits for it
  // even where it only asks, but for several at a time if it asks for them in one go.
  // prefetch() reads nothing, so another thread may be running the node.
  void prefetch() const noexcept;
  void prefetch_harts(std::uint64_t end) const noexcept;
  void prefetch_sram(std::uint64_t end) const noexcept;
  // The same before a launch is begun on it.
  void prefetch_launch() const noexcept;

  // --- Environment --------------------------------------------------------------------------
  isa::Outcome access(isa::Hart& hart, const isa::Operation& operation, std::uint64_t address,
                      unsigned bytes, bool write, void* data) override;
  isa::Outcome remote_amo(isa::Hart& hart, const isa::Operation& operation, std::uint64_t address,
                          unsigned bytes, unsigned function, std::uint64_t operand,
                          std::uint64_t& result) override;
  isa::Outcome fence_i(isa::Hart& hart, const isa::Operation& operation) override;
  isa::Outcome fence(isa::Hart& hart, const isa::Operation& operation) override;
  isa::Outcome wait_for_interrupt(isa::Hart& hart, const isa::Operation& operation) override;
  isa::Outcome semaphore_wait(isa::Hart& hart, const isa::Operation& operation,
                              std::uint64_t index, std::uint64_t count) override;
  isa::Outcome semaphore_try(isa::Hart& hart, const isa::Operation& operation,
                             std::uint64_t index, std::uint64_t count,
                             std::uint64_t& taken) override;
  isa::Outcome semaphore_read(isa::Hart& hart, const isa::Operation& operation,
                              std::uint64_t index, std::uint64_t& value) override;
  isa::Outcome semaphore_post(isa::Hart& hart, const isa::Operation& operation,
                              std::uint64_t target, std::uint64_t count) override;
  isa::Outcome node_barrier(isa::Hart& hart, const isa::Operation& operation,
                            std::uint64_t harts) override;
  isa::Outcome grid_barrier(isa::Hart& hart, const isa::Operation& operation,
                            std::uint64_t harts) override;
  isa::Outcome transfer(isa::Hart& hart, const isa::Operation& operation,
                        std::uint64_t descriptors, std::uint64_t count) override;
  isa::Outcome transfer_wait(isa::Hart& hart, const isa::Operation& operation) override;
  isa::Outcome print(isa::Hart& hart, const isa::Operation& operation, std::uint64_t text,
                     std::uint64_t bytes) override;
  isa::Outcome stop(isa::Hart& hart, const isa::Operation& operation) override;
  bool read_csr(const isa::Hart& hart, unsigned number, std::uint64_t& value) override;
  bool write_csr(isa::Hart& hart, unsigned number, std::uint64_t value) override;

 private:
  static constexpr std::uint8_t kNowhere = 0xff, kGridBarrier = 0xfe;  // in waits_at_
  static constexpr std::size_t kSettlePosts = 16;  // own: from so many on they are looked through
  struct PendingPost {
    std::uint64_t arrival;
    std::uint32_t count;
    std::uint8_t semaphore;
  };
  struct TransferState {
    std::uint64_t local_done = 0, far_done = 0;  // ticks
    std::uint32_t local_pending = 0, far_pending = 0;  // of which the end is not known yet
  };
  struct Barrier {
    std::uint32_t arrived = 0;  // bit a hart
    std::uint64_t latest = 0;
  };
  struct Target {
    enum Kind : std::uint8_t { Own, Remote, Hbm, Dip, Bad } kind;
    NodeIndex node;
    std::uint32_t offset;  // not of HBM
  };

  void fill_mailbox() noexcept;
  void start_hart(unsigned index, std::uint64_t when);
  void wake(isa::Hart& hart, std::uint64_t when) noexcept;
  void run_turn(Engine& engine, isa::Hart& hart, std::uint64_t budget, std::uint64_t until);
  [[nodiscard]] bool goes_on(const isa::Hart& hart, std::uint64_t until,
                             std::size_t sent) const noexcept;
  void note_unhandled_trap(isa::Hart& hart);
  isa::Outcome park(isa::Hart& hart, const isa::Operation& operation, isa::WaitKind kind,
                    std::uint64_t index, std::uint64_t amount);
  [[nodiscard]] std::uint64_t value_at(unsigned semaphore, std::uint64_t now) const;
  void take(unsigned semaphore, std::uint64_t count);
  void settle_posts();
  [[nodiscard]] std::uint64_t satisfied_at(unsigned semaphore, std::uint64_t count) const;
  void wake_waiters(unsigned semaphore, std::uint64_t now);
  [[nodiscard]] Target resolve(std::uint64_t address) const;
  [[nodiscard]] bool reachable(const Target& target, std::uint64_t address, unsigned bytes) const;
  isa::Outcome check_transfer(isa::Hart& hart, const isa::Operation& operation,
                              const d1_transfer& transfer, std::uint64_t at, Packet& packet);
  isa::Outcome arrive(isa::Hart& hart, const isa::Operation& operation, Barrier& barrier,
                      isa::WaitKind kind, std::uint64_t harts);
  Packet& send(const isa::Hart& hart, PacketKind kind);

  void set_status(isa::Hart& hart, isa::HartStatus status) noexcept;

  // In the order of how often who visits a node looks at it, since on a large machine every line of
  // the host's cache counts.
  const MachineState& machine_;
  LaunchContext* launch_ = nullptr;
  Outbox* outbox_ = nullptr;  // of the running thread; null between quanta
  // Of harts, so that who looks for one to run or to wake need not visit them: from when on it can
  // run, else kNever; the semaphore, or the grid's barrier, that it is parked at.
  std::array<std::uint64_t, isa::kHartsPerNode> ready_at_;
  std::uint64_t retired_ = 0;  // instructions
  NodeIndex id_;
  std::uint32_t rank_ = 0;
  std::uint32_t sequence_ = 0;
  std::array<std::uint8_t, isa::kHartsPerNode> waits_at_;
  std::uint8_t last_hart_ = 0;  // that ran
  bool mailbox_due_ = false;
  std::uint8_t held_harts_ = 0;
  std::uint16_t slowness_ = 1;
  std::array<std::uint64_t, isa::kHartsPerNode> wake_at_{};  // asked for during the hart's own turn
  CodeView code_;
  boost::container::small_vector<PendingPost, 3> pending_;  // by arrival
  std::array<TransferState, isa::kHartsPerNode> transfers_{};
  Barrier node_barrier_, grid_barrier_;
  std::shared_ptr<CodeImage> previous_program_;  // replaced by fence.i in the turn that runs
  std::array<std::uint32_t, D1_SEMAPHORES> semaphores_{};  // those of launches in one line
  UnitShare units_;
  std::array<isa::Hart, isa::kHartsPerNode> harts_{};
};

}  // namespace d1::emulator
