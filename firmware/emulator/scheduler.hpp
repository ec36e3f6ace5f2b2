// SPDX-License-Identifier: Apache-2.0
// Runs the machine in quanta. In a quantum every node with something to run does so on some host
// thread; at its end everything they sent is committed in one order. A node that waits stands in no
// list and costs nothing. What happens depends only on the machine's state and the seed, never on
// the number of host threads or on their speed.
// One thread at a time calls this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "fabric.hpp"
#include "machine_state.hpp"
#include "worker_pool.hpp"

namespace d1::emulator {

struct SchedulerOptions {
  unsigned threads = 1;     // host threads, the caller's included
  std::uint64_t seed = 0;   // other than 0: shuffles what is unordered
  EngineOptions engine;
  std::function<void(unsigned worker)> join_delay;  // tests: see WorkerPool
};

class Scheduler {
 public:
  Scheduler(MachineState& machine, Fabric& fabric, SchedulerOptions options);

  // The node may have become able to run, or able to run earlier.
  void activate(NodeIndex id) {
    const Node* node = machine_.find(id);
    if (node != nullptr) activate(id, node->next_time());
  }
  void activate(NodeIndex id, std::uint64_t next);
  // Between quanta, work for the host threads (WorkerPool::run) that a node or two are not worth.
  void share_out(std::uint32_t count, const WorkerPool::Work& work, const WorkerPool::Look& look) {
    pool_.run(count, work, look);
  }
  // Runs one quantum; false if no node can run.
  bool step();

  // Time up to which the machine has run, in ticks.
  [[nodiscard]] std::uint64_t frontier() const noexcept { return frontier_; }
  // The same, or later if no node can run before then: everything before that time has happened.
  [[nodiscard]] std::uint64_t reached() const noexcept;
  // No node can run: time goes on all the same.
  void pass_until(std::uint64_t ticks) noexcept { frontier_ = std::max(frontier_, ticks); }
  // A step that begins before this time ends at the next quantum's end behind it, at the latest.
  void set_boundary(std::uint64_t ticks) noexcept { boundary_ = ticks; }
  [[nodiscard]] std::uint64_t quanta() const noexcept { return quanta_; }
  // Nodes that ran in the last quantum.
  [[nodiscard]] std::size_t last_nodes() const noexcept { return running_.size(); }
  // A hash of everything that ran and was sent, in order: equal for equal runs.
  [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_; }
  [[nodiscard]] EngineStatistics engine_statistics() { return engine_->statistics(); }
  // Instructions retired by each host thread.
  [[nodiscard]] std::vector<std::uint64_t> retired() const;

 private:
  static constexpr std::uint64_t kLoneQuanta = 64;   // a node alone commits at least that often
  static constexpr std::uint64_t kCatchUpQuanta = 8; // how far a late node runs at a time
  // While nobody sends anything, quanta are joined, up to so many: a turn on a node costs the host
  // cache misses, and nobody waits for what is not sent. The first packet ends it.
  static constexpr std::uint64_t kQuietQuanta = 4;

  // Instructions after which it pays to look whether nodes should have huge pages, first and again.
  static constexpr std::uint64_t kFirstLook = 96'000'000, kNextLook = 32'000'000;

  void gather(std::uint64_t end);
  void commit();
  void run_nodes(std::uint64_t end, bool lone);
  void look_at_memory();
  [[nodiscard]] std::uint64_t slice(NodeIndex id) const;

  MachineState& machine_;
  Fabric& fabric_;
  SchedulerOptions options_;
  std::uint64_t quantum_;  // ticks
  std::unique_ptr<Engine> engine_;
  WorkerPool pool_;
  std::vector<Outbox> outboxes_;       // by worker
  struct alignas(64) Tally {
    std::uint64_t retired = 0;  // instructions
    std::uint64_t trace = 0;    // an order-independent sum
  };
  std::vector<Tally> tallies_;         // by worker
  using Calendar = std::map<std::uint64_t, std::vector<NodeIndex>>;  // by quantum
  Calendar calendar_;
  Calendar::iterator recent_ = calendar_.end();  // where the last node was entered
  Reservation scheduled_;              // by node: quantum + 1 it stands in, 0 none
  std::vector<NodeIndex> running_;
  std::vector<std::uint64_t> next_times_;  // of running_, when their turns were over
  std::uint64_t quiet_quanta_ = 1;         // from 1, when somebody sent, to kQuietQuanta
  std::vector<std::vector<NodeIndex>> spare_;
  std::uint64_t next_look_ = kFirstLook;   // instructions retired then
  std::uint64_t frontier_ = 0;
  std::uint64_t boundary_ = ~std::uint64_t{0};
  std::uint64_t quanta_ = 0;
  std::uint64_t trace_ = 0;
};

}  // namespace d1::emulator
