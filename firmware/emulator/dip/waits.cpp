// SPDX-License-Identifier: Apache-2.0
// Whether launches can still end: the machine's waits as a graph (debug/wait_graph.hpp), and what
// it says in the contract's words. It looks and changes nothing.
#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "dip/dip.hpp"
#include "dip/result.hpp"

namespace d1::emulator {

namespace {

using Hart = WaitGraph::Hart;
using Step = WaitGraph::Command;

bool in_rom(const isa::Hart& hart) { return hart.pc - D1_ROM_BASE < D1_ROM_BYTES; }

// Waits for a launch, for hart 0 to begin one here, or for the node's other harts to end theirs.
bool in_dispatch(const isa::Hart& hart) {
  return in_rom(hart) && hart.status == isa::HartStatus::Parked &&
         hart.wait.kind == isa::WaitKind::Semaphore && hart.wait.index >= D1_SEMAPHORE_LAUNCH;
}

// `starting`: hart 0 is still to start those that the launch needs, of which it is one.
Hart hart_of(const Node& node, unsigned index, bool starting) {
  const isa::Hart& hart = node.hart(index);
  Hart made;
  switch (hart.status) {
    case isa::HartStatus::Reset:
      made.state = starting ? Hart::Starting : Hart::Absent;
      return made;
    case isa::HartStatus::Stopped: made.state = Hart::Stopped; return made;
    case isa::HartStatus::Runnable:
      made.state = (node.held_harts() >> index & 1) != 0 ? Hart::Held : Hart::Runs;
      return made;
    case isa::HartStatus::Parked: break;
  }
  made.state = Hart::Waits;
  if (in_dispatch(hart)) {
    if (starting) made.state = Hart::Starting;
    else if (node.launch() == nullptr) made.state = Hart::Absent;
    else made.state = index == 0 ? Hart::Gathers : Hart::Ended;
    if (made.state != Hart::Gathers) return made;
  }
  made.kind = static_cast<d1_wait_kind>(hart.wait.kind);
  made.amount = hart.wait.amount;
  if (made.kind == D1_WAIT_SEMAPHORE) {
    made.semaphore = hart.wait.index;
    made.value = node.semaphore(hart.wait.index);
  }
  return made;
}

WaitGraph::Node node_of(const Node& node) {
  WaitGraph::Node made;
  made.rank = node.rank();
  made.at_node_barrier = static_cast<std::uint8_t>(node.at_node_barrier());
  made.at_grid_barrier = static_cast<std::uint8_t>(node.at_grid_barrier());
  const isa::Hart& first = node.hart(0);
  const bool begins = node.launch() != nullptr && first.status == isa::HartStatus::Runnable &&
                      in_rom(first);
  const unsigned needed = begins ? node.launch()->parameters.harts : 0;
  for (unsigned i = 0; i < D1_HARTS; ++i)
    made.harts[i] = hart_of(node, i, i != 0 && i < needed);
  return made;
}

// On a node without a launch: whether it could do anything, or is in anybody's way.
bool matters(const WaitGraph::Node& node) {
  return std::ranges::any_of(node.harts, [](const Hart& hart) {
    return hart.state == Hart::Runs || hart.state == Hart::Held || hart.state == Hart::Waits;
  });
}

std::uint8_t state_of(const Hart& hart) {
  switch (hart.state) {
    case Hart::Starting: case Hart::Runs: return D1_DEBUG_WAIT_RUNS;
    case Hart::Held: return D1_DEBUG_WAIT_HELD;
    case Hart::Waits: return D1_DEBUG_WAIT_WAITS;
    case Hart::Stopped: return D1_DEBUG_WAIT_STOPPED;
    case Hart::Absent: case Hart::Ended: case Hart::Gathers: break;
  }
  return D1_DEBUG_WAIT_ENDED;
}

}  // namespace

// The nodes of each launch in the order of their ranks, then others that matter.
WaitGraph Dip::wait_graph() const {
  WaitGraph graph;
  for (const auto& launch : launches_) {
    const auto number = static_cast<std::uint32_t>(graph.launches.size());
    WaitGraph::Launch& made = graph.launches.emplace_back();
    made.harts = launch->parameters.harts;
    made.host_interactive = launch->host_interactive;
    made.missing =
        launch->grid->size() - static_cast<std::uint32_t>(launch->barrier.arrived.size());
    std::vector<bool> arrived(launch->grid->size());
    for (const auto& arrival : launch->barrier.arrived)
      if (const Node* node = machine_.find(arrival.node); node->launch() == launch.get())
        arrived[node->rank()] = true;
    for (std::uint32_t rank = 0; rank < launch->grid->size(); ++rank) {
      const Node* node = machine_.find(node_at(*launch->grid, rank));
      if (node == nullptr || node->launch() != launch.get()) continue;
      made.nodes.push_back(static_cast<std::uint32_t>(graph.nodes.size()));
      WaitGraph::Node& entry = graph.nodes.emplace_back(node_of(*node));
      entry.launch = number;
      entry.arrived = arrived[rank];
    }
  }
  for (NodeIndex id = 0; id < machine_.positions(); ++id) {
    const Node* node = machine_.find(id);
    if (node == nullptr || node->launch() != nullptr) continue;
    if (WaitGraph::Node made = node_of(*node); matters(made)) graph.nodes.push_back(made);
  }
  graph.packets_held = fabric_.held();
  graph.faults = static_cast<std::uint32_t>(faults_.count());
  return graph;
}

WaitGraph::Command Dip::command_of(const std::uint8_t* entry) const {
  Step made;
  if (entry == nullptr) return {.kind = Step::Interferes};  // nobody knows
  d1_event_command command;
  std::memcpy(&command, entry, sizeof(command));
  switch (command.header.opcode) {
    case D1_COMMAND_LAUNCH: case D1_COMMAND_SEMAPHORE: made.kind = Step::Posts; break;
    case D1_COMMAND_ABORT: case D1_COMMAND_RESET: made.kind = Step::Interferes; break;
    case D1_COMMAND_SIGNAL: case D1_COMMAND_WAIT:
      if (command.event >= D1_EVENTS) break;  // fails
      made.kind = command.header.opcode == D1_COMMAND_SIGNAL ? Step::Signals
                                                             : Step::WaitsForEvent;
      made.event = command.event;
      made.value = command.value;
      made.satisfied = events_[command.event].value >= command.value;
      break;
    default: break;
  }
  return made;
}

// What is under way, then what was rung for.
WaitGraph::Queue Dip::commands_of(unsigned index) {
  const Queue& queue = queues_[index];
  WaitGraph::Queue commands;
  if (!queue.enabled) return commands;
  if (queue.busy && !queue.delayed && queue.current.opcode == D1_COMMAND_WAIT) {
    commands.push_back(command_of(reinterpret_cast<const std::uint8_t*>(&queue.waiting)));
  } else if (queue.busy && !queue.delayed && queue.current.opcode == D1_COMMAND_LAUNCH) {
    for (std::uint32_t i = 0; i < launches_.size(); ++i)
      if (launches_[i]->queue == index)
        commands.push_back({.kind = Step::RunsLaunch, .launch = i});
  }
  const std::uint32_t tail = queue.tail.load(std::memory_order_acquire);
  if (tail >= queue.entries) return commands;
  // In one piece up to the ring's end: each look at memory of another process is a message.
  for (auto at = queue.head; at != tail;) {
    const auto end = at < tail ? tail : static_cast<std::uint32_t>(queue.entries);
    const std::uint8_t* entries =
        dma_.find(queue.submission + at * sizeof(Command),
                  (end - at) * sizeof(Command), DmaAccess::Read);
    for (std::uint32_t i = 0; i < end - at; ++i)
      commands.push_back(
          command_of(entries == nullptr ? nullptr : entries + i * sizeof(Command)));
    at = end == queue.entries ? 0 : end;
  }
  return commands;
}

void Dip::add_waits(const WaitGraph& graph, std::uint32_t number, Verdict& verdict) const {
  const Launch& launch = *launches_[number];
  std::optional<MissedHart> at_grid;  // by all nodes that have arrived, so looked for once
  for (const std::uint32_t at : graph.launches[number].nodes) {
    const WaitGraph::Node& node = graph.nodes[at];
    const NodeId place = launch.grid->node(node.rank);
    const Node& real = *machine_.find(machine_.id_of(place));
    for (std::uint32_t index = 0; index < launch.parameters.harts; ++index) {
      const Hart& hart = node.harts[index];
      d1_debug_wait& wait = verdict.waits.emplace_back();
      wait.die = place.die;
      wait.node = place.node;
      wait.hart = static_cast<std::uint8_t>(index);
      wait.state = state_of(hart);
      wait.rank = node.rank;
      wait.launch = launch.id;
      wait.pc = real.hart(index).pc;
      wait.for_hart = D1_HARTS;
      if (hart.state != Hart::Waits && hart.state != Hart::Gathers) continue;
      wait.kind = static_cast<std::uint8_t>(hart.kind);
      wait.stuck = hart.may_move ? 0 : 1;
      wait.amount = hart.amount;
      wait.index = real.hart(index).wait.index;
      wait.value = hart.value;
      const bool grid = hart.kind == D1_WAIT_GRID_BARRIER;
      if (grid || hart.kind == D1_WAIT_NODE_BARRIER) {
        wait.index = grid && node.arrived ? 1 : 0;
        wait.value = static_cast<std::uint64_t>(
            std::popcount(grid ? node.at_grid_barrier : node.at_node_barrier));
      }
      if (wait.index == 1 && grid && !at_grid) at_grid = missed_by(graph, node, hart);
      const MissedHart missed =
          wait.index == 1 && grid ? *at_grid : missed_by(graph, node, hart);
      wait.missing = missed.missing;
      if (missed.node == WaitGraph::kNone) continue;
      const NodeId other = launch.grid->node(graph.nodes[missed.node].rank);
      wait.for_die = other.die;
      wait.for_node = other.node;
      wait.for_hart = missed.hart;
    }
  }
}

Verdict Dip::verdict(std::uint64_t launch_id) {
  WaitGraph graph = wait_graph();
  for (unsigned i = 0; i < queues_.size(); ++i) graph.queues.push_back(commands_of(i));
  find_who_may_move(graph);
  Verdict verdict;
  d1_debug_verdict& head = verdict.head;
  head.state = launches_.empty() ? D1_DEBUG_IDLE : D1_DEBUG_MOVES;
  for (const WaitGraph::Node& node : graph.nodes)
    for (const Hart& hart : node.harts) {
      if (hart.state == Hart::Runs) ++head.runnable_harts;
      if (hart.state == Hart::Held) ++head.held_harts;
    }
  head.packets_in_flight = graph.packets_held;
  head.packets = fabric_.packets();
  head.faults = graph.faults;
  head.commands = graph.acting_queues;
  for (std::uint32_t i = 0; i < launches_.size(); ++i) {
    if (graph.launches[i].host_interactive) ++head.host_interactive;
    if (launch_id != 0 && launches_[i]->id != launch_id) continue;
    if (graph.launches[i].stands) head.state = D1_DEBUG_STANDS;
    add_waits(graph, i, verdict);
  }
  head.waits = static_cast<std::uint32_t>(verdict.waits.size());
  return verdict;
}

CommandResult Dip::query_waits(const d1_query& command) {
  const unsigned queue = command.launch >> 16;
  const auto launch = std::ranges::find_if(
      launches_, [queue](const auto& each) { return each->queue == queue; });
  if (launch == launches_.end() || queues_[queue].current.id != (command.launch & 0xffff))
    return failed(D1_STATUS_NOT_FOUND, command.launch);
  const Verdict found = verdict((*launch)->id);
  const std::uint64_t each = sizeof(d1_debug_wait), head = sizeof(found.head);
  const std::uint64_t needed = head + found.waits.size() * each;
  if (command.bytes < head) return bad_field(offsetof(d1_query, bytes));
  const std::uint64_t waits = std::min<std::uint64_t>(found.waits.size(),
                                                      (command.bytes - head) / each);
  std::uint8_t* place = dma_.find(command.destination, head + waits * each, DmaAccess::Write);
  if (place == nullptr) return failed(D1_STATUS_DMA_FAULT, command.destination);
  std::memcpy(place, &found.head, head);
  if (waits != 0) std::memcpy(place + head, found.waits.data(), waits * each);
  return {CommandResult::Done, D1_STATUS_OK, needed, 0};
}

}  // namespace d1::emulator
