// SPDX-License-Identifier: Apache-2.0
// A machine of harts that each follow a list of acts: what really happens, for whoever claims to
// know that it cannot. It is made and run by a seed, knows nothing of proofs, and shows what waits
// as a WaitGraph, in which the acts to come are not told.
#pragma once

#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "debug/wait_graph.hpp"

namespace d1::emulator::test {

class RandomMachine {
 public:
  explicit RandomMachine(std::uint64_t seed);

  // One hart or queue does one act; false: nobody can, or they only spin.
  bool step();
  [[nodiscard]] WaitGraph graph() const;
  // Acts that a hart has done, one more when its node has completed: grows when it goes on.
  [[nodiscard]] std::size_t progress(std::uint32_t node, std::uint32_t hart) const {
    return nodes_[node].harts[hart].done + (nodes_[node].completed ? 1 : 0);
  }
  // Number here of a node of graph(), as it was then.
  [[nodiscard]] std::uint32_t number_of(std::uint32_t in_graph) const { return shown_[in_graph]; }
  [[nodiscard]] bool completed(std::uint32_t launch) const;

 private:
  static constexpr unsigned kSemaphores = 3;
  struct Act {
    enum Kind : std::uint8_t { Work, Post, Wait, NodeBarrier, GridBarrier, Spin } kind = Work;
    std::uint32_t node = 0, semaphore = 0;
    std::uint64_t count = 1;
  };
  struct Hart {
    std::vector<Act> acts;
    std::size_t done = 0;
    bool parked = false;  // at a barrier
    [[nodiscard]] bool ended() const { return done == acts.size(); }
    [[nodiscard]] const Act& act() const { return acts[done]; }
  };
  struct Node {
    std::uint32_t launch = 0, rank = 0;
    std::uint64_t semaphores[kSemaphores] = {};
    unsigned at_node_barrier = 0, at_grid_barrier = 0;
    bool arrived = false, completed = false;
    std::vector<Hart> harts;
  };
  struct Launch {
    std::vector<std::uint32_t> nodes;
    std::uint32_t harts = 0, arrivals = 0;
  };
  struct Command {
    WaitGraph::Command shown;
    std::uint32_t node = 0, semaphore = 0;  // of a post
  };

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  void make_acts(Hart& hart, std::uint32_t node);
  void make_queues();
  [[nodiscard]] bool may_act(const Node& node, const Hart& hart) const;
  [[nodiscard]] bool may_pass(const Command& command) const;
  void act(Node& node, Hart& hart, unsigned index);
  void arrive(Launch& launch, Node& node, unsigned index, std::uint64_t wanted);

  std::mt19937_64 random_;
  std::vector<Launch> launches_;
  std::vector<Node> nodes_;
  std::vector<std::vector<Command>> queues_;
  std::vector<std::size_t> reached_;   // commands carried out of each queue
  std::vector<std::uint64_t> events_;  // their values
  mutable std::vector<std::uint32_t> shown_;
};

}  // namespace d1::emulator::test
