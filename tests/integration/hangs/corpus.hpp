// SPDX-License-Identifier: Apache-2.0
// What each kernel of kernels/hangs.cpp comes to.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace d1 {

enum class Fate : std::uint8_t {
  Deadlock,  // proven, at once
  Slow,      // not proven: it ends at its time-out
  Ends       // well
};

struct Hang {
  const char* kernel;
  Fate fate;
  std::uint32_t columns = 4, harts = 4;    // of a grid of one row
  std::vector<std::string> says = {};      // parts of the error's sentence
  bool takes_rounds = false;
};

inline void PrintTo(const Hang& hang, std::ostream* out) { *out << hang.kernel; }

inline const std::vector<Hang>& corpus() {
  static const std::vector<Hang> hangs = {
      {"each_waits_for_the_next", Fate::Deadlock, 2, 4,
       {"2 waiting for semaphore 1 to hold 1, that nobody is left to post, in ", "hangs.cpp:",
        "on die 0 row 0 column 0 hart 0; die 0 row 0 column 1 hart 0"}},
      {"each_waits_for_the_next", Fate::Deadlock, 12, 1, {"12 waiting for semaphore 1 to hold 1"}},
      {"lost_post", Fate::Deadlock, 4, 4,
       {"1 hart waits for what cannot come", "1 waiting for semaphore 1 to hold 1 (it holds 0)",
        "lost_post (", "3 of 4 nodes had completed"}},
      {"hart_misses_node_barrier", Fate::Deadlock, 4, 4,
       {"12 waiting at the barrier of their node for 4 harts (3 there), in ",
        "missing: hart 3 of their node, which has ended the kernel"}},
      {"hart_0_misses_node_barrier", Fate::Deadlock, 4, 4,
       {"missing: hart 0 of their node, which has ended the kernel"}},
      {"node_misses_grid_barrier", Fate::Deadlock, 8, 4,
       {"28 waiting at the barrier of the grid, in ", "missing: 1 of 8 nodes",
        "1 node completed without it, first die 0 row 0 column 3"}},
      {"hart_misses_grid_barrier", Fate::Deadlock, 4, 4,
       {"12 waiting at the barrier of the grid", "3 waiting at the barrier of the grid",
        "first die 0 row 0 column 1, hart 2, which has ended the kernel",
        "missing: hart 2 of their node, which has ended the kernel"}},
      {"barrier_for_more_harts_than_run", Fate::Deadlock, 4, 2,
       {"for 3 harts (2 there)", "missing: 1 hart more than the launch runs on a node"}},
      {"grid_barrier_for_more_harts_than_run", Fate::Deadlock, 4, 3,
       {"missing: 1 hart more than the launch runs on a node"}},
      {"barrier_once_more", Fate::Deadlock, 2, 4, {"for 4 harts (1 there)"}},
      {"grid_barrier_once_more", Fate::Deadlock, 4, 4, {"missing: 3 of 4 nodes"}},
      {"waits_for_more_than_is_posted", Fate::Deadlock, 1, 4,
       {"waiting for semaphore 1 to hold 4 (it holds 3)"}},
      {"waits_for_itself", Fate::Deadlock, 4, 4, {"16 waiting for semaphore 1 to hold 1"}},
      {"two_wait_for_one_post", Fate::Deadlock, 1, 4, {"1 hart waits for what cannot come"}},
      {"put_posts_nothing_far", Fate::Deadlock, 2, 4, {"waiting for semaphore 1"}},
      {"put_posts_another_semaphore", Fate::Deadlock, 2, 4, {"waiting for semaphore 1"}},
      {"waits_for_two_transfers_of_one", Fate::Deadlock, 2, 4,
       {"waiting for semaphore 56 to hold 2 (it holds 1)"}},
      {"some_at_the_node_some_at_the_grid", Fate::Deadlock, 4, 4,
       {"8 waiting at the barrier of their node", "8 waiting at the barrier of the grid",
        "which waits in "}},
      {"post_behind_the_barrier", Fate::Deadlock, 1, 4,
       {"missing: hart 0 of their node, which waits in "}},
      {"post_behind_the_grid_barrier", Fate::Deadlock, 4, 4,
       {"first die 0 row 0 column 0, hart 0, which waits in "}},
      {"philosophers", Fate::Deadlock, 1, 4, {"4 waiting for semaphore 0 to 3 to hold 1"}},
      {"posts_to_the_wrong_node", Fate::Deadlock, 4, 4,
       {"2 waiting for semaphore 1", "2 of 4 nodes had completed"}},
      {"waits_for_an_interrupt", Fate::Deadlock, 1, 4,
       {"waiting for an interrupt, which nobody raises"}},
      {"hart_halts", Fate::Deadlock, 1, 4,
       {"done with the kernel, waiting for hart 1 of their node"}},
      {"stuck_after_long_work", Fate::Deadlock, 2, 4, {"2 waiting for semaphore 1"}, true},
      {"hart_misses_barrier_while_others_run", Fate::Deadlock, 2, 4,
       {"4 harts of the machine run, and none of them", "3 waiting at the barrier of their node",
        "4 running, in "}},
      {"two_nodes_miss_grid_barrier_while_one_hart_runs", Fate::Deadlock, 4, 4,
       {"1 hart of the machine run", "8 waiting at the barrier of the grid"}},

      {"spins_on_memory", Fate::Slow, 2, 4, {"8 of its harts run: 8 in spins_on_memory ("}},
      {"ping_pong", Fate::Slow, 2, 4, {"packets sent"}},
      {"tries_for_ever", Fate::Slow, 1, 1, {"1 of its harts run"}},
      {"reads_far_memory_for_ever", Fate::Slow, 2, 1},
      {"one_runs_and_all_wait", Fate::Slow, 2, 4, {"1 of its harts run: 1 in ", "7 waiting for"}},
      {"one_of_the_node_runs_and_the_others_wait", Fate::Slow, 2, 4, {"2 of its harts run"}},
      {"barriers_for_ever", Fate::Slow},
      {"posts_and_takes_for_ever", Fate::Slow, 1, 4, {"slow, or runs in circles"}},
      {"puts_for_ever", Fate::Slow, 2, 4},

      {"works_long", Fate::Ends, 2, 4, {}, true},
      {"one_works_long_and_all_wait", Fate::Ends, 4, 4, {}, true},
      {"slow_producer", Fate::Ends, 4, 4, {}, true},
      {"long_chain", Fate::Ends, 8, 4, {}, true},
      {"many_barriers", Fate::Ends, 4, 4, {}, true},
  };
  return hangs;
}

}  // namespace d1
