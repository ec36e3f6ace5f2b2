// SPDX-License-Identifier: Apache-2.0
#include "scheduler.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "mix.hpp"

namespace d1::emulator {

namespace {
constexpr std::uint64_t kSliceTicks = 256 * isa::kTicksPerCycle;  // own: harts of a node run apart
}

Scheduler::Scheduler(MachineState& machine, Fabric& fabric, SchedulerOptions options)
    : machine_(machine),
      fabric_(fabric),
      options_(std::move(options)),
      quantum_(std::uint64_t{machine.description().quantum_cycles} * isa::kTicksPerCycle),
      engine_(make_engine(options_.engine)),
      pool_(std::max(1u, options_.threads), options_.join_delay),
      outboxes_(pool_.threads()),
      tallies_(pool_.threads()),
      scheduled_(std::size_t{machine.positions()} * sizeof(std::uint64_t)) {}

void Scheduler::activate(NodeIndex id, std::uint64_t next) {
  if (next == Node::kNever) return;
  const std::uint64_t quantum = next / quantum_;
  std::uint64_t& mark = reinterpret_cast<std::uint64_t*>(scheduled_.data())[id];
  if (mark != 0 && mark - 1 <= quantum) return;
  mark = quantum + 1;
  if (recent_ == calendar_.end() || recent_->first != quantum) {
    const auto [entry, fresh] = calendar_.try_emplace(quantum);
    if (fresh && !spare_.empty()) {
      entry->second = std::move(spare_.back());
      spare_.pop_back();
    }
    recent_ = entry;
  }
  recent_->second.push_back(id);
}

// Takes all nodes out of the calendar that can run before `end`.
void Scheduler::gather(std::uint64_t end) {
  running_.clear();
  recent_ = calendar_.end();
  while (!calendar_.empty() && calendar_.begin()->first * quantum_ < end) {
    const auto first = calendar_.begin();
    for (const NodeIndex id : first->second) {
      std::uint64_t& mark = reinterpret_cast<std::uint64_t*>(scheduled_.data())[id];
      if (mark != first->first + 1) continue;  // it was moved to an earlier quantum
      mark = 0;
      running_.push_back(id);
    }
    first->second.clear();
    spare_.push_back(std::move(first->second));
    calendar_.erase(first);
  }
}

std::uint64_t Scheduler::reached() const noexcept {
  if (calendar_.empty()) return frontier_;
  return std::max(frontier_, calendar_.begin()->first * quantum_);
}

bool Scheduler::step() {
  if (calendar_.empty()) {
    if (!fabric_.holding()) return false;
    commit();  // all wait, perhaps for what the seed holds back
    return true;
  }
  const std::uint64_t first = calendar_.begin()->first;
  std::uint64_t end = (first + quiet_quanta_) * quantum_;
  // Nodes woken behind the others catch up in larger steps.
  if (end < frontier_) end = std::min(frontier_, (first + kCatchUpQuanta) * quantum_);
  // Whoever waits goes on no earlier than somebody who runs sends: nothing departs before this.
  fabric_.retire_before(first * quantum_);
  gather(end);
  const bool lone = running_.size() == 1 && !fabric_.holding();
  if (lone) {
    const std::uint64_t others =
        calendar_.empty() ? Node::kNever : calendar_.begin()->first * quantum_;
    end = std::max(end, std::min(others, (first + kLoneQuanta) * quantum_));
  }
  if (first * quantum_ < boundary_ && boundary_ < end)
    end = std::max(first + 1, (boundary_ + quantum_ - 1) / quantum_) * quantum_;
  run_nodes(end, lone);
  frontier_ = std::max(frontier_, end);
  ++quanta_;
  const std::uint64_t packets = fabric_.packets();
  commit();
  const bool quiet = fabric_.packets() == packets && !fabric_.holding();
  quiet_quanta_ = quiet ? std::min(2 * quiet_quanta_, kQuietQuanta) : 1;
  for (std::size_t i = 0; i < running_.size(); ++i) activate(running_[i], next_times_[i]);
  look_at_memory();
  return true;
}

void Scheduler::look_at_memory() {
  std::uint64_t retired = 0;
  for (const Tally& tally : tallies_) retired += tally.retired;
  if (retired < next_look_) return;
  next_look_ = retired + kNextLook;
  machine_.collapse_dense_sram();
}

void Scheduler::commit() {
  trace_ = fabric_.commit(outboxes_, options_.seed, trace_, pool_);
  for (Tally& tally : tallies_) trace_ += std::exchange(tally.trace, 0);
  trace_ = mix(trace_);
  for (const NodeIndex id : fabric_.touched()) activate(id);
  fabric_.clear_touched();
}

void Scheduler::run_nodes(std::uint64_t end, bool lone) {
  const auto count = static_cast<std::uint32_t>(running_.size());
  next_times_.resize(count);
  const auto run = [&](std::uint32_t item, unsigned worker) {
    Node& node = *machine_.find(running_[item]);
    const std::uint64_t before = node.instructions();
    unsigned ran = node.run(*engine_, outboxes_[worker], end, slice(node.id()), lone);
    tallies_[worker].retired += node.instructions() - before;
    // Here, not by the committing thread, since this one has the node in its caches.
    next_times_[item] = node.next_time();
    std::uint64_t hash = node.id();
    for (; ran != 0; ran &= ran - 1) {
      const isa::Hart& hart = node.hart(static_cast<unsigned>(std::countr_zero(ran)));
      hash = mix(hash ^ hart.clock) + hart.instret;
      hash = mix(hash ^ hart.pc) + static_cast<std::uint64_t>(hart.status);
    }
    tallies_[worker].trace += mix(hash);  // a sum: the same whoever ran the node
  };
  const auto look = [&](std::uint32_t item, WorkerPool::Ahead ahead) {
    const Node& node = *machine_.find(running_[item]);
    switch (ahead) {
      case WorkerPool::Ahead::Far: node.prefetch(); break;
      case WorkerPool::Ahead::Group: node.prefetch_sram(end); break;
      case WorkerPool::Ahead::Near: node.prefetch_harts(end); break;
    }
  };
  pool_.run(count, run, look);
}

std::vector<std::uint64_t> Scheduler::retired() const {
  std::vector<std::uint64_t> retired;
  for (const Tally& tally : tallies_) retired.push_back(tally.retired);
  return retired;
}

// How far harts of a node may run apart; a seed varies it from node to node and time to time.
std::uint64_t Scheduler::slice(NodeIndex id) const {
  if (options_.seed == 0) return kSliceTicks;
  return kSliceTicks / 8 + mix(options_.seed ^ mix(quanta_ << 24 ^ id)) % (2 * kSliceTicks);
}

}  // namespace d1::emulator
