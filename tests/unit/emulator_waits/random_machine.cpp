// SPDX-License-Identifier: Apache-2.0
#include "random_machine.hpp"

#include <algorithm>
#include <utility>

namespace d1::emulator::test {

RandomMachine::RandomMachine(std::uint64_t seed) : random_(seed), events_(2) {
  const std::uint64_t launches = 1 + draw(3);
  for (std::uint32_t i = 0; i < launches; ++i) {
    Launch& launch = launches_.emplace_back();
    launch.harts = static_cast<std::uint32_t>(1 + draw(D1_HARTS));
    const std::uint64_t nodes = 1 + draw(4);
    for (std::uint32_t rank = 0; rank < nodes; ++rank) {
      launch.nodes.push_back(static_cast<std::uint32_t>(nodes_.size()));
      Node& node = nodes_.emplace_back();
      node.launch = i;
      node.rank = rank;
      node.harts.resize(launch.harts);
    }
  }
  for (std::uint32_t i = 0; i < nodes_.size(); ++i)
    for (Hart& hart : nodes_[i].harts) make_acts(hart, i);
  make_queues();
}

void RandomMachine::make_acts(Hart& hart, std::uint32_t node) {
  const std::uint32_t harts = launches_[nodes_[node].launch].harts;
  const std::uint64_t acts = draw(7), taste = draw(3);
  for (std::uint64_t i = 0; i < acts; ++i) {
    Act act;
    act.node = static_cast<std::uint32_t>(draw(3) == 0 ? node : draw(nodes_.size()));
    act.semaphore = static_cast<std::uint32_t>(draw(kSemaphores));
    switch (draw(8)) {
      case 0: case 1: act.kind = taste == 0 ? Act::NodeBarrier : Act::Post; break;
      case 2: case 3: act.kind = taste == 1 ? Act::GridBarrier : Act::Wait; break;
      case 4: act.kind = Act::NodeBarrier; break;
      case 5: act.kind = Act::GridBarrier; break;
      default: break;
    }
    act.count = 1 + draw(2);
    // Mostly as it should be.
    if (act.kind == Act::NodeBarrier || act.kind == Act::GridBarrier)
      act.count = draw(6) == 0 ? 1 + draw(D1_HARTS) : harts;
    hart.acts.push_back(act);
  }
  if (draw(24) == 0) hart.acts.push_back({.kind = Act::Spin});
}

// Each launch heads a queue; there may be one that waits for an event.
void RandomMachine::make_queues() {
  using Shown = WaitGraph::Command;
  for (std::uint32_t i = 0; i < launches_.size(); ++i)
    queues_.push_back({{{.kind = Shown::RunsLaunch, .launch = i}}});
  queues_.emplace_back();
  for (auto& queue : queues_)
    for (std::uint64_t commands = draw(3) == 0 ? draw(3) : 0; commands > 0; --commands) {
      Command command;
      constexpr Shown::Kind kKinds[] = {Shown::Passes, Shown::WaitsForEvent, Shown::Signals,
                                        Shown::Posts};
      command.shown.kind = kKinds[draw(std::size(kKinds))];
      command.shown.event = static_cast<std::uint32_t>(draw(events_.size()));
      command.shown.value = 1 + draw(2);
      command.node = static_cast<std::uint32_t>(draw(nodes_.size()));
      command.semaphore = static_cast<std::uint32_t>(draw(kSemaphores));
      queue.push_back(command);
    }
  reached_.resize(queues_.size());
}

bool RandomMachine::completed(std::uint32_t launch) const {
  return std::ranges::all_of(launches_[launch].nodes,
                             [this](std::uint32_t node) { return nodes_[node].completed; });
}

bool RandomMachine::may_act(const Node& node, const Hart& hart) const {
  if (hart.ended())  // hart 0 gathers
    return &hart == node.harts.data() && !node.completed &&
           std::ranges::all_of(node.harts, &Hart::ended);
  const Act& act = hart.act();
  if (act.kind == Act::Wait) return node.semaphores[act.semaphore] >= act.count;
  return !hart.parked;
}

// The host answers no event that nobody else signals: it is slow.
bool RandomMachine::may_pass(const Command& command) const {
  if (command.shown.kind == WaitGraph::Command::RunsLaunch) return completed(command.shown.launch);
  return command.shown.kind != WaitGraph::Command::WaitsForEvent ||
         events_[command.shown.event] >= command.shown.value;
}

bool RandomMachine::step() {
  struct Choice {
    Node* node;
    unsigned hart;
    std::size_t queue;
  };
  std::vector<Choice> choices;
  for (Node& node : nodes_)
    for (unsigned i = 0; i < node.harts.size(); ++i)
      if (may_act(node, node.harts[i]) &&
          (node.harts[i].ended() || node.harts[i].act().kind != Act::Spin))
        choices.push_back({&node, i, 0});
  for (std::size_t i = 0; i < queues_.size(); ++i)
    if (reached_[i] < queues_[i].size() && may_pass(queues_[i][reached_[i]]))
      choices.push_back({nullptr, 0, i});
  if (choices.empty()) return false;
  const Choice choice = choices[draw(choices.size())];
  if (choice.node != nullptr) {
    act(*choice.node, choice.node->harts[choice.hart], choice.hart);
    return true;
  }
  const Command& command = queues_[choice.queue][reached_[choice.queue]++];
  if (command.shown.kind == WaitGraph::Command::Posts)
    ++nodes_[command.node].semaphores[command.semaphore];
  if (command.shown.kind == WaitGraph::Command::Signals)
    events_[command.shown.event] = std::max(events_[command.shown.event], command.shown.value);
  return true;
}

void RandomMachine::act(Node& node, Hart& hart, unsigned index) {
  if (hart.ended()) {
    node.completed = true;
    return;
  }
  const Act& act = hart.act();
  switch (act.kind) {
    case Act::Post: nodes_[act.node].semaphores[act.semaphore] += act.count; break;
    case Act::Wait: node.semaphores[act.semaphore] -= act.count; break;
    case Act::NodeBarrier:
      hart.parked = true;
      node.at_node_barrier |= 1u << index;
      if (static_cast<std::uint64_t>(std::popcount(node.at_node_barrier)) < act.count) return;
      for (unsigned i = 0; i < node.harts.size(); ++i)
        if ((node.at_node_barrier >> i & 1) != 0) {
          node.harts[i].parked = false;
          ++node.harts[i].done;
        }
      node.at_node_barrier = 0;
      return;
    case Act::GridBarrier: return arrive(launches_[node.launch], node, index, act.count);
    case Act::Work: case Act::Spin: break;
  }
  ++hart.done;
}

void RandomMachine::arrive(Launch& launch, Node& node, unsigned index, std::uint64_t wanted) {
  node.harts[index].parked = true;
  node.at_grid_barrier |= 1u << index;
  if (static_cast<std::uint64_t>(std::popcount(node.at_grid_barrier)) < wanted) return;
  node.at_grid_barrier = 0;
  node.arrived = true;
  if (++launch.arrivals < launch.nodes.size()) return;
  launch.arrivals = 0;
  for (const std::uint32_t number : launch.nodes) {
    Node& other = nodes_[number];
    if (!std::exchange(other.arrived, false)) continue;
    for (Hart& hart : other.harts)
      if (hart.parked && hart.act().kind == Act::GridBarrier) {
        hart.parked = false;
        ++hart.done;
      }
  }
}

WaitGraph RandomMachine::graph() const {
  using Shown = WaitGraph::Hart;
  WaitGraph graph;
  shown_.clear();
  for (const Launch& launch : launches_) {
    WaitGraph::Launch& made = graph.launches.emplace_back();
    made.harts = launch.harts;
    made.missing = static_cast<std::uint32_t>(launch.nodes.size()) - launch.arrivals;
  }
  for (std::uint32_t number = 0; number < nodes_.size(); ++number) {
    const Node& node = nodes_[number];
    if (node.completed) continue;
    graph.launches[node.launch].nodes.push_back(static_cast<std::uint32_t>(graph.nodes.size()));
    shown_.push_back(number);
    WaitGraph::Node& made = graph.nodes.emplace_back();
    made.launch = node.launch;
    made.rank = node.rank;
    made.at_node_barrier = static_cast<std::uint8_t>(node.at_node_barrier);
    made.at_grid_barrier = static_cast<std::uint8_t>(node.at_grid_barrier);
    made.arrived = node.arrived;
    for (unsigned i = 0; i < node.harts.size(); ++i) {
      const Hart& hart = node.harts[i];
      Shown& shown = made.harts[i];
      if (hart.ended()) {
        shown.state = i == 0 ? Shown::Gathers : Shown::Ended;
        shown.kind = D1_WAIT_SEMAPHORE;
        shown.amount = node.harts.size() - 1;
        shown.value = static_cast<std::uint64_t>(
            std::ranges::count_if(node.harts.begin() + 1, node.harts.end(),
                                  [](const Hart& other) { return other.ended(); }));
        continue;
      }
      const Act& act = hart.act();
      shown.state = act.kind == Act::Wait || hart.parked ? Shown::Waits : Shown::Runs;
      shown.amount = act.count;
      if (act.kind == Act::Wait) {
        shown.kind = D1_WAIT_SEMAPHORE;
        shown.semaphore = act.semaphore;
        shown.value = node.semaphores[act.semaphore];
      } else if (hart.parked) {
        shown.kind = act.kind == Act::NodeBarrier ? D1_WAIT_NODE_BARRIER : D1_WAIT_GRID_BARRIER;
      }
    }
  }
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    WaitGraph::Queue& queue = graph.queues.emplace_back();
    for (std::size_t at = reached_[i]; at < queues_[i].size(); ++at) {
      queue.push_back(queues_[i][at].shown);
      queue.back().satisfied = events_[queue.back().event] >= queue.back().value;
    }
  }
  return graph;
}

}  // namespace d1::emulator::test
