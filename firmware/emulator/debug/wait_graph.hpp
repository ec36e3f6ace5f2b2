// SPDX-License-Identifier: Apache-2.0
// Whether launches can still end: who waits for whom, as plain data, and the proof that nobody can
// go on. It knows nothing of the machine that the data came from.
//
// The proof goes the other way round: who runs may move; who waits may move if somebody who may
// move can let it go on; and so on until nobody is added. Whoever is left can never go on, since
// the first of them to do so would have been let go by one who may move. Where the data is not
// enough to be sure somebody counts as one who may move, so there is no false proof:
//  * Any hart that may move can post any semaphore, at any time.
//  * What harts in the dispatch loop wait for belongs to the firmware (d1/abi/memory_map.h): they
//    begin no kernel before the next launch, unless hart 0 is only about to start them.
//  * A barrier of a node is reached by its own harts alone. One of the grid counts arrivals, also
//    where a node that asks for too few harts arrives twice: each hart that may move can add one.
//  * Packets that are held back, faults and harts that they hold, launches declared interactive and
//    commands that can still act let go of whatever they could.
//
// Pure functions on plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <d1/abi/debug.h>

namespace d1::emulator {

struct WaitGraph {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Hart {
    enum State : std::uint8_t {
      Absent,   // in reset, or without part in a launch: nothing but a launch starts it
      Starting, // hart 0 of its node is still about to start it
      Runs,
      Held,     // could run, if a fault did not hold it
      Waits,
      Ended,    // the kernel; in the dispatch loop
      Gathers,  // hart 0 has ended it, and waits in the dispatch loop for its node's others
      Stopped   // for good
    } state = Absent;
    d1_wait_kind kind = D1_WAIT_NONE;
    std::uint32_t semaphore = 0;
    std::uint64_t amount = 0;  // counts, or harts at a barrier
    std::uint64_t value = 0;   // counts there, those that will arrive included
    bool may_move = false;     // the answer
  };

  struct Node {
    std::uint32_t launch = kNone;     // number in `launches`; none: its harts matter as posters
    std::uint32_t rank = 0;
    std::uint8_t at_node_barrier = 0; // a bit each hart that has arrived
    std::uint8_t at_grid_barrier = 0; // the same, while the node itself has not arrived
    bool arrived = false;             // at the grid's barrier, as a whole, once at least
    std::array<Hart, D1_HARTS> harts;
  };

  struct Launch {
    std::uint32_t harts = D1_HARTS;  // of each node run the kernel
    bool host_interactive = false;
    std::vector<std::uint32_t> nodes;  // numbers in `nodes`, of those that have not completed
    std::uint32_t missing = 0;         // arrivals of nodes at the grid's barrier
    bool stands = false;               // the answer: it can never end
  };

  // A queue's commands in order, the one under way first.
  struct Command {
    enum Kind : std::uint8_t {
      Passes,       // ends by itself and lets nobody go on
      RunsLaunch,   // under way: ends when launches[launch] does
      WaitsForEvent,
      Signals,
      Posts,        // launches something, or posts: any semaphore may be posted
      Interferes    // stops or resets nodes, or nobody knows what it does
    } kind = Passes;
    std::uint32_t launch = 0;
    std::uint32_t event = 0;
    std::uint64_t value = 0;
    bool satisfied = false;  // of WaitsForEvent: the event is there already
  };
  using Queue = std::vector<Command>;

  std::vector<Node> nodes;
  std::vector<Launch> launches;
  std::vector<Queue> queues;
  std::uint64_t packets_held = 0;
  std::uint32_t faults = 0;  // in force, or still to come

  std::uint32_t acting_queues = 0;  // an answer: that can come to a command which acts on nodes
};

// Fills in the answers: Hart::may_move, Launch::stands, acting_queues.
void find_who_may_move(WaitGraph& graph);

// Whom a hart that waits at a barrier or gathers misses first, and how many are missing. Takes as
// long as the launch has nodes where the hart's node has arrived at the grid's.
struct MissedHart {
  std::uint32_t node = WaitGraph::kNone;  // number in `nodes`
  std::uint32_t hart = D1_HARTS;          // D1_HARTS: none in particular
  std::uint32_t missing = 0;              // at the grid's barrier nodes, else harts of its node
};
[[nodiscard]] MissedHart missed_by(const WaitGraph& graph, const WaitGraph::Node& node,
                                   const WaitGraph::Hart& hart);

}  // namespace d1::emulator
