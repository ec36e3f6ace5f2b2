// SPDX-License-Identifier: Apache-2.0
// Small kernels that never end, or only seem so. What each comes to is in ../corpus.hpp.
#include <d1/kernel.hpp>

#include <cstdint>
#include <span>

namespace {

using ready = d1::semaphore<1>;
using done = d1::semaphore<2>;

std::uint32_t next() { return (d1::rank() + 1) % d1::nodes(); }
// Nobody can tell what a volatile loop is for.
void work(unsigned rounds) {
  for (volatile unsigned i = 0; i < rounds; i = i + 1) {}
}
[[noreturn]] void spin() {
  for (volatile unsigned i = 0;; i = i + 1) {}
}
alignas(64) int outbox[64], inbox[64];
volatile int flag;

}  // namespace

// --- deadlocks ----------------------------------------------------------------------------------

D1_KERNEL void each_waits_for_the_next() {
  if (d1::hart() != 0) return;
  ready::wait();
  ready::post_remote(next());
}
D1_KERNEL void lost_post() {
  if (d1::hart() != 0) return;
  if (d1::rank() == 0) done::post_remote(1);  // it meant `ready`
  if (d1::rank() == 1) ready::wait();
}
D1_KERNEL void hart_misses_node_barrier() {
  if (d1::hart() != 3) d1::node_barrier();
}
D1_KERNEL void hart_0_misses_node_barrier() {
  if (d1::hart() != 0) d1::node_barrier();
}
D1_KERNEL void node_misses_grid_barrier() {
  if (d1::rank() != 3) d1::grid_barrier();
}
D1_KERNEL void hart_misses_grid_barrier() {
  if (d1::rank() != 1 || d1::hart() != 2) d1::grid_barrier();
}
D1_KERNEL void barrier_for_more_harts_than_run() { d1_bar_node(d1::harts() + 1); }
D1_KERNEL void grid_barrier_for_more_harts_than_run() { d1_bar_grid(d1::harts() + 1); }
D1_KERNEL void barrier_once_more() {
  d1::node_barrier();
  if (d1::hart() == 0) d1::node_barrier();
}
D1_KERNEL void grid_barrier_once_more() {
  d1::grid_barrier();
  if (d1::rank() == 0) d1::grid_barrier();
}
D1_KERNEL void waits_for_more_than_is_posted() {
  if (d1::hart() != 0) ready::post();
  else ready::wait(d1::harts());
}
D1_KERNEL void waits_for_itself() {
  ready::wait();
  ready::post();
}
D1_KERNEL void two_wait_for_one_post() {
  if (d1::hart() == 0) ready::post();
  else if (d1::hart() < 3) ready::wait();
}
D1_KERNEL void put_posts_nothing_far() {
  if (d1::hart() != 0) return;
  if (d1::rank() == 0)
    d1::put(std::span<const int>(outbox), d1::global_ptr<int>::at(1, inbox)).wait();
  if (d1::rank() == 1) ready::wait();
}
D1_KERNEL void put_posts_another_semaphore() {
  if (d1::hart() != 0) return;
  if (d1::rank() == 0)
    d1::put(std::span<const int>(outbox), d1::global_ptr<int>::at(1, inbox),
            {.far = d1::semaphore_of<done>()}).wait();
  if (d1::rank() == 1) ready::wait();
}
D1_KERNEL void waits_for_two_transfers_of_one() {
  if (d1::hart() != 0 || d1::rank() != 0) return;
  (d1::put(std::span<const int>(outbox), d1::global_ptr<int>::at(1, inbox)) +
   d1::completion(d1::transfer_semaphore(), 1)).wait();
}
D1_KERNEL void some_at_the_node_some_at_the_grid() {
  if (d1::hart() % 2 == 0) d1::node_barrier();
  else d1::grid_barrier();
}
D1_KERNEL void post_behind_the_barrier() {
  if (d1::hart() == 0) ready::wait();
  d1::node_barrier();
  if (d1::hart() == 1) ready::post();
}
D1_KERNEL void post_behind_the_grid_barrier() {
  if (d1::rank() == 0 && d1::hart() == 0) ready::wait();
  d1::grid_barrier();
  if (d1::rank() == 1 && d1::hart() == 0) ready::post_remote(0);
}
// Each hart takes its own fork, and waits for its neighbour's.
D1_KERNEL void philosophers() {
  d1_sem_post(d1::hart(), 1);
  d1_sem_wait(d1::hart(), 1);
  d1::node_barrier();
  d1_sem_wait((d1::hart() + 1) % d1::harts(), 1);
  d1_sem_post(d1::hart(), 1);
}
D1_KERNEL void posts_to_the_wrong_node() {
  if (d1::hart() != 0) return;
  ready::post_remote(d1::rank() / 2 * 2);
  ready::wait();
}
D1_KERNEL void waits_for_an_interrupt() {
  if (d1::hart() == 1) __asm__ volatile("wfi");
}
D1_KERNEL void hart_halts() {
  if (d1::hart() == 1) d1_halt();
}
D1_KERNEL void stuck_after_long_work(unsigned rounds) {
  if (d1::hart() != 0) return;
  work(rounds);
  ready::wait();
}

// --- deadlocks of some, while others run for ever -----------------------------------------------

D1_KERNEL void hart_misses_barrier_while_others_run() {
  if (d1::rank() == 1) spin();
  if (d1::hart() != 3) d1::node_barrier();
}
D1_KERNEL void two_nodes_miss_grid_barrier_while_one_hart_runs() {
  if (d1::rank() == 1) return;
  if (d1::rank() == 2) {
    if (d1::hart() == 0) spin();
    return;
  }
  d1::grid_barrier();
}

// --- for ever, but nobody can prove it ----------------------------------------------------------

D1_KERNEL void spins_on_memory() {
  while (flag == 0) {}
}
D1_KERNEL void ping_pong() {
  if (d1::hart() != 0) return;
  if (d1::rank() == 0) ready::post();
  for (;;) {
    ready::wait();
    ready::post_remote(next());
  }
}
D1_KERNEL void tries_for_ever() {
  while (!ready::try_wait()) {}
}
D1_KERNEL void reads_far_memory_for_ever() {
  while (int(d1::global_ptr<int>::at(next(), inbox)[0]) == 0) {}
}
D1_KERNEL void one_runs_and_all_wait() {
  if (d1::rank() == 0 && d1::hart() == 0) spin();
  ready::wait();
}
D1_KERNEL void one_of_the_node_runs_and_the_others_wait() {
  if (d1::hart() == 3) spin();
  d1::node_barrier();
}
D1_KERNEL void barriers_for_ever() {
  for (;;) d1::grid_barrier();
}
D1_KERNEL void posts_and_takes_for_ever() {
  for (;;) {
    ready::post();
    ready::wait();
  }
}
D1_KERNEL void puts_for_ever() {
  if (d1::hart() != 0) return;
  for (;;) {
    d1::put(std::span<const int>(outbox), d1::global_ptr<int>::at(next(), inbox),
            {.far = d1::semaphore_of<ready>()}).wait();
    ready::wait();
  }
}

// --- slow, and they end -------------------------------------------------------------------------

D1_KERNEL void works_long(unsigned rounds) {
  if (d1::rank() == 0) work(rounds);
}
D1_KERNEL void one_works_long_and_all_wait(unsigned rounds) {
  if (d1::rank() == 0 && d1::hart() == 0) work(8 * rounds);  // half a second
  d1::grid_barrier();
}
D1_KERNEL void slow_producer(unsigned rounds) {
  if (d1::hart() != 0) return;
  if (d1::rank() != 0) return ready::wait();
  work(8 * rounds);
  for (std::uint32_t rank = 1; rank < d1::nodes(); ++rank) ready::post_remote(rank);
}
D1_KERNEL void long_chain(unsigned rounds) {
  if (d1::hart() != 0) return;
  for (unsigned i = 0; i < rounds / 500; ++i) {
    if (d1::rank() != 0 || i != 0) ready::wait();
    ready::post_remote(next());
  }
  if (d1::rank() == 0) ready::wait();
}
D1_KERNEL void many_barriers(unsigned rounds) {
  for (unsigned i = 0; i < rounds / 500; ++i) {
    d1::node_barrier();
    d1::grid_barrier();
  }
}

// --- with the host or another launch ------------------------------------------------------------

D1_KERNEL void waits_for_a_post() {
  if (d1::hart() == 0) d1::semaphore<7>::wait();
}
// To a node of another launch; its address is the host's to tell.
D1_KERNEL void posts(std::uint64_t target) {
  if (d1::hart() == 0 && d1::rank() == 0) d1_sem_post(target, 1);
}
