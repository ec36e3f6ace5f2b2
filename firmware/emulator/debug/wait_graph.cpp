// SPDX-License-Identifier: Apache-2.0
#include "debug/wait_graph.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace d1::emulator {

namespace {

using Hart = WaitGraph::Hart;
using Node = WaitGraph::Node;
using Launch = WaitGraph::Launch;
using Command = WaitGraph::Command;

// Which commands of the queues will be carried out, as launches stand or do not.
class Queues {
 public:
  explicit Queues(const WaitGraph& graph) : graph_(graph), reached_(graph.queues.size()) {}

  // Walks each queue as far as it can get, again and again, since a signal lets others go on.
  void walk() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < reached_.size(); ++i)
        while (reached_[i] < graph_.queues[i].size() && passes(graph_.queues[i][reached_[i]])) {
          ++reached_[i];
          moved = true;
        }
    }
  }
  [[nodiscard]] bool reaches(std::size_t queue, Command::Kind kind) const {
    const WaitGraph::Queue& commands = graph_.queues[queue];
    return std::any_of(commands.begin(),
                       commands.begin() + static_cast<std::ptrdiff_t>(reached_[queue]),
                       [kind](const Command& command) { return command.kind == kind; });
  }

 private:
  [[nodiscard]] bool passes(const Command& command) const {
    switch (command.kind) {
      case Command::RunsLaunch: return !graph_.launches[command.launch].stands;
      case Command::WaitsForEvent: return command.satisfied || may_be_signalled(command);
      default: return true;
    }
  }
  // By a signal that can be reached. One that stands in no queue is the host's to send.
  [[nodiscard]] bool may_be_signalled(const Command& wait) const {
    bool known = false;
    for (std::size_t i = 0; i < graph_.queues.size(); ++i)
      for (std::size_t at = 0; at < graph_.queues[i].size(); ++at) {
        const Command& command = graph_.queues[i][at];
        if (command.kind != Command::Signals || command.event != wait.event ||
            command.value < wait.value)
          continue;
        known = true;
        if (at < reached_[i]) return true;
      }
    return !known;
  }

  const WaitGraph& graph_;
  std::vector<std::size_t> reached_;  // commands of each queue that will have been carried out
};

class Search {
 public:
  explicit Search(WaitGraph& graph) : graph_(graph) {}

  void everybody_moves() {
    for (Node& node : graph_.nodes)
      for (Hart& hart : node.harts) hart.may_move = waits(hart) || moves_by_itself(node, hart);
  }
  void run(bool posts) {
    posts_ = posts_ || posts;
    for (Node& node : graph_.nodes)
      for (Hart& hart : node.harts) {
        if (!hart.may_move) hart.may_move = moves_by_itself(node, hart);
        posts_ = posts_ || hart.may_move;
      }
    for (bool moved = true; moved;) {
      moved = false;
      look_at_grid_barriers();
      for (Node& node : graph_.nodes)
        for (Hart& hart : node.harts)
          if (waits(hart) && !hart.may_move && may_be_let_go(node, hart))
            hart.may_move = moved = posts_ = true;  // who has gathered moves on its node's behalf
    }
  }
  // Launches with a hart that can never go on.
  void judge() {
    for (Launch& launch : graph_.launches)
      launch.stands = std::ranges::any_of(launch.nodes, [this](std::uint32_t number) {
        return std::ranges::any_of(graph_.nodes[number].harts, [](const Hart& hart) {
          return waits(hart) && !hart.may_move;
        });
      });
  }

 private:
  [[nodiscard]] static bool waits(const Hart& hart) {
    return hart.state == Hart::Waits || hart.state == Hart::Gathers;
  }

  [[nodiscard]] bool moves_by_itself(const Node& node, const Hart& hart) const {
    switch (hart.state) {
      case Hart::Starting: case Hart::Runs: case Hart::Held: return true;
      case Hart::Absent: case Hart::Ended: case Hart::Stopped: return false;
      case Hart::Gathers: return hart.value >= hart.amount;
      case Hart::Waits: break;
    }
    if (node.launch != WaitGraph::kNone && graph_.launches[node.launch].host_interactive)
      return true;
    return hart.kind == D1_WAIT_SEMAPHORE && hart.value >= hart.amount;
  }

  // Of the node's harts, to a barrier of this kind.
  [[nodiscard]] static std::uint32_t may_come(const Node& node, d1_wait_kind barrier) {
    std::uint32_t harts = 0;
    for (const Hart& hart : node.harts)
      if (hart.may_move && hart.state != Hart::Gathers && (!waits(hart) || hart.kind != barrier))
        ++harts;
    // Where hart 0 has halted, whoever ends the kernel starts it and so all of them anew.
    return harts != 0 && node.harts[0].state == Hart::Absent ? D1_HARTS : harts;
  }
  // Which grid barriers can still be passed.
  void look_at_grid_barriers() {
    passable_.assign(graph_.launches.size(), false);
    for (std::size_t i = 0; i < graph_.launches.size(); ++i) {
      const Launch& launch = graph_.launches[i];
      std::uint64_t comers = 0;
      for (const std::uint32_t number : launch.nodes)
        comers += may_come(graph_.nodes[number], D1_WAIT_GRID_BARRIER);
      passable_[i] = comers >= launch.missing;
    }
  }

  [[nodiscard]] bool may_be_let_go(const Node& node, const Hart& hart) const {
    if (hart.state == Hart::Gathers) return may_come(node, D1_WAIT_NONE) != 0;
    switch (hart.kind) {
      case D1_WAIT_SEMAPHORE: return posts_;
      case D1_WAIT_NODE_BARRIER: return may_come(node, D1_WAIT_NODE_BARRIER) != 0;
      case D1_WAIT_GRID_BARRIER:
        return node.launch != WaitGraph::kNone && passable_[node.launch] &&
               (node.arrived || may_come(node, D1_WAIT_GRID_BARRIER) != 0);
      // Their packets are carried out when they are sent, or held back, or lost.
      case D1_WAIT_REMOTE_ACCESS: case D1_WAIT_TRANSFER: case D1_WAIT_INTERRUPT: return false;
      case D1_WAIT_NONE: break;
    }
    return true;
  }

  WaitGraph& graph_;
  bool posts_ = false;  // somebody may post a semaphore
  std::vector<bool> passable_;  // by launch: its grid barrier
};

}  // namespace

void find_who_may_move(WaitGraph& graph) {
  Search search(graph);
  Queues queues(graph);
  graph.acting_queues = 0;
  if (graph.packets_held != 0 || graph.faults != 0) search.everybody_moves();
  bool posts = false, interferes = false;
  // What can be reached of the queues lets launches move, behind which more can be reached.
  for (bool more = true; more;) {
    search.run(posts);
    if (interferes) search.everybody_moves();
    search.judge();
    queues.walk();
    more = false;
    graph.acting_queues = 0;
    for (std::size_t i = 0; i < graph.queues.size(); ++i) {
      const bool posting = queues.reaches(i, Command::Posts);
      const bool interfering = queues.reaches(i, Command::Interferes);
      if (posting || interfering) ++graph.acting_queues;
      more = more || (posting && !posts) || (interfering && !interferes);
      posts = posts || posting;
      interferes = interferes || interfering;
    }
  }
}

MissedHart missed_by(const WaitGraph& graph, const Node& node, const Hart& hart) {
  const auto on_node = [&](const Node& where, unsigned there, std::uint64_t wanted) {
    MissedHart missed;
    missed.node = static_cast<std::uint32_t>(&where - graph.nodes.data());
    const auto here = static_cast<std::uint64_t>(std::popcount(there));
    missed.missing = static_cast<std::uint32_t>(wanted > here ? wanted - here : 0);
    const std::uint32_t harts =
        where.launch == WaitGraph::kNone ? D1_HARTS : graph.launches[where.launch].harts;
    for (std::uint32_t i = 0; i < harts && missed.hart == D1_HARTS; ++i)
      if ((there >> i & 1) == 0) missed.hart = i;
    return missed;
  };
  if (hart.state == Hart::Gathers) {
    unsigned ended = 1;
    for (unsigned i = 1; i < D1_HARTS; ++i)
      if (node.harts[i].state == Hart::Ended) ended |= 1u << i;
    return on_node(node, ended, hart.amount + 1);
  }
  if (hart.kind == D1_WAIT_NODE_BARRIER) return on_node(node, node.at_node_barrier, hart.amount);
  if (hart.kind != D1_WAIT_GRID_BARRIER || node.launch == WaitGraph::kNone) return {};
  if (!node.arrived) return on_node(node, node.at_grid_barrier, hart.amount);
  MissedHart first;
  std::uint32_t missing = 0;
  for (const std::uint32_t number : graph.launches[node.launch].nodes) {
    const Node& other = graph.nodes[number];
    if (other.arrived) continue;
    if (missing++ == 0) first = on_node(other, other.at_grid_barrier, D1_HARTS);
  }
  first.missing = missing;
  return first;
}

}  // namespace d1::emulator
