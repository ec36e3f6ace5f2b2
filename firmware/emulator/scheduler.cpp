// SPDX-License-Identifier: Apache-2.0
#include "scheduler.hpp"

#include <algorithm>

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
      engine_(make_interpreter()),
      pool_(std::max(1u, options_.threads), options_.join_delay),
      outboxes_(pool_.threads()),
      retired_(pool_.threads()),
      traces_(pool_.threads()),
      scheduled_(std::size_t{machine.positions()} * sizeof(std::uint64_t)) {}

void Scheduler::activate(NodeIndex id) {
  const Node* node = machine_.find(id);
  const std::uint64_t next = node != nullptr ? node->next_time() : Node::kNever;
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

bool Scheduler::step() {
  if (calendar_.empty()) {
    if (!fabric_.holding()) return false;
    commit();  // all wait, perhaps for what the seed holds back
    return true;
  }
  const std::uint64_t first = calendar_.begin()->first;
  std::uint64_t end = (first + 1) * quantum_;
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
  run_nodes(end, lone);
  frontier_ = std::max(frontier_, end);
  ++quanta_;
  commit();
  for (const NodeIndex id : running_) activate(id);
  return true;
}

void Scheduler::commit() {
  trace_ = fabric_.commit(outboxes_, options_.seed, trace_);
  for (std::uint64_t& sum : traces_) {
    trace_ += sum;
    sum = 0;
  }
  trace_ = mix(trace_);
  for (const NodeIndex id : fabric_.touched()) activate(id);
  fabric_.clear_touched();
}

void Scheduler::run_nodes(std::uint64_t end, bool lone) {
  pool_.run(static_cast<std::uint32_t>(running_.size()), [&](std::uint32_t item, unsigned worker) {
    Node& node = *machine_.find(running_[item]);
    const std::uint64_t before = node.instructions();
    node.run(*engine_, outboxes_[worker], end, slice(node.id()), lone);
    retired_[worker] += node.instructions() - before;
    std::uint64_t hash = node.id();
    for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
      const isa::Hart& hart = node.hart(i);
      hash = mix(hash ^ hart.clock) + hart.instret;
      hash = mix(hash ^ hart.pc) + static_cast<std::uint64_t>(hart.status);
    }
    traces_[worker] += mix(hash);  // a sum: the same whoever ran the node
  });
}

// How far harts of a node may run apart; a seed varies it from node to node and time to time.
std::uint64_t Scheduler::slice(NodeIndex id) const {
  if (options_.seed == 0) return kSliceTicks;
  return kSliceTicks / 8 + mix(options_.seed ^ mix(quanta_ << 24 ^ id)) % (2 * kSliceTicks);
}

}  // namespace d1::emulator
