// SPDX-License-Identifier: Apache-2.0
// Litmus tests of the order of memory, between nodes (ranks A = 0, B = 1, C = 2) and between harts
// of a node. Each kernel plays its test `rounds` times with harts delayed at random and collects
// the outcomes it saw: out[rank * 4] has bit o set for outcome o. What an outcome is stands beside
// each kernel; which are allowed stands in litmus_test.cpp.
#include <d1/kernel.hpp>

namespace {

constexpr std::uint32_t kA = 0, kB = 1, kC = 2;
using arrived = d1::semaphore<1>;
using other = d1::semaphore<2>;

// What a test works on; at the same address on every node. Cells lie 64 bytes apart.
struct alignas(64) cell {
  std::uint32_t value;
};
struct arena {
  cell x, y, from, from2, seen, spare;
};

struct game {
  arena* cells;
  std::uint64_t hbm;
  std::uint64_t outcomes = 0;
  std::uint32_t state;

  game(std::uint64_t memory, std::uint64_t hbm_address, std::uint64_t seed)
      : cells(reinterpret_cast<arena*>(memory)),
        hbm(hbm_address),
        state(static_cast<std::uint32_t>(seed * 2654435761u) + d1::rank() * 40503u +
              d1::hart() * 7919u + 1) {}

  volatile std::uint32_t& x() { return cells->x.value; }
  volatile std::uint32_t& y() { return cells->y.value; }
  volatile std::uint32_t& seen() { return cells->seen.value; }

  // Up to some hundred cycles, or past the end of a quantum.
  void delay() {
    state = state * 1664525u + 1013904223u;
    const std::uint32_t limit = (state >> 28) == 0 ? 4096 : 128;
    for (std::uint32_t i = (state >> 12) % limit; i != 0; --i) __asm__ volatile("" : : : "memory");
  }
  // All cells of the node are 0, and everybody is here.
  void start_round() {
    if (d1::hart() == 0) {
      __builtin_memset(cells, 0, sizeof(arena));
      cells->from.value = 1;
      cells->from2.value = 1;
    }
    d1::fence();
    d1::grid_barrier();
    delay();
  }
  void end_round() {
    d1::fence();
    d1::grid_barrier();
  }
  void saw(std::uint64_t outcome) { outcomes |= std::uint64_t{1} << outcome; }
  void report(std::uint64_t out) { reinterpret_cast<std::uint64_t*>(out)[d1::hart()] = outcomes; }

  d1::completion put(cell& from, std::uint32_t rank, cell& to,
                     d1::semaphore_number far = d1::semaphore_number::none) {
    return d1::put(std::span<const std::uint32_t>(&from.value, 1),
                   d1::global_ptr<std::uint32_t>::at(rank, &to.value), {.far = far});
  }
  d1::completion get(std::uint32_t rank, cell& from, cell& to) {
    return d1::get(d1::global_ptr<std::uint32_t>::at(rank, &from.value),
                   std::span<std::uint32_t>(&to.value, 1));
  }
};

constexpr d1::semaphore_number kArrived = d1::semaphore_of<arrived>();

}  // namespace

#define LITMUS(name)                                                              \
  static void name##_round(game& g);                                              \
  D1_KERNEL void name(std::uint64_t out, std::uint64_t memory, std::uint64_t hbm, \
                      std::uint64_t rounds, std::uint64_t seed) {                 \
    game g(memory, hbm, seed);                                                    \
    for (; rounds != 0; --rounds) {                                               \
      g.start_round();                                                            \
      name##_round(g);                                                            \
      g.end_round();                                                              \
    }                                                                             \
    g.report(out);                                                                \
  }                                                                               \
  static void name##_round(game& g)

// A: put x = 1 to B, with a post. B: wait, read x.
LITMUS(put_with_post) {
  if (d1::rank() == kA) g.put(g.cells->from, kB, g.cells->x, kArrived).wait();
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: put x = 1, put y = 1, both to B. B: wait for y, read x.
LITMUS(two_puts_one_destination) {
  if (d1::rank() == kA)
    (g.put(g.cells->from, kB, g.cells->x) + g.put(g.cells->from2, kB, g.cells->y, kArrived)).wait();
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: multicast x = 1, put y = 1 to B. B: wait for y, read x.
LITMUS(multicast_then_put) {
  if (d1::rank() == kA) {
    d1::completion all = d1::multicast(std::span<std::uint32_t>(&g.cells->from.value, 1),
                                       &g.cells->x.value, {0, 0, 1, 3});
    all += g.put(g.cells->from2, kB, g.cells->y, kArrived);
    all.wait();
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: put x = 1 to B, put y = 1 to C. C: wait for y, read x of B.
LITMUS(puts_two_destinations) {
  if (d1::rank() == kA)
    (g.put(g.cells->from, kB, g.cells->x) + g.put(g.cells->from2, kC, g.cells->y, kArrived)).wait();
  if (d1::rank() == kC) {
    arrived::wait();
    g.saw(*d1::global_ptr<std::uint32_t>::at(kB, &g.cells->x.value));
  }
}

// A: put x = 1 to B, fence, put y = 1 to C. C: wait for y, read x of B.
LITMUS(puts_two_destinations_fenced) {
  if (d1::rank() == kA) {
    d1::completion all = g.put(g.cells->from, kB, g.cells->x);
    d1::fence();
    all += g.put(g.cells->from2, kC, g.cells->y, kArrived);
    all.wait();
  }
  if (d1::rank() == kC) {
    arrived::wait();
    g.saw(*d1::global_ptr<std::uint32_t>::at(kB, &g.cells->x.value));
  }
}

// A: put x = 1 to B, post to B. B: wait, read x.
LITMUS(put_then_post) {
  if (d1::rank() == kA) {
    const d1::completion sent = g.put(g.cells->from, kB, g.cells->x);
    arrived::post_remote(kB);
    sent.wait();
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: put x = 1 to B, fence, post to B. B: wait, read x.
LITMUS(put_fence_post) {
  if (d1::rank() == kA) {
    const d1::completion sent = g.put(g.cells->from, kB, g.cells->x);
    d1::fence();
    arrived::post_remote(kB);
    sent.wait();
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: put x = 1 to B, wait until the source may be reused, post to B. B: wait, read x.
LITMUS(put_wait_post) {
  if (d1::rank() == kA) {
    g.put(g.cells->from, kB, g.cells->x).wait();
    arrived::post_remote(kB);
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: put x = 1 to B, get x from B.
LITMUS(put_then_get) {
  if (d1::rank() != kA) return;
  d1::completion all = g.put(g.cells->from, kB, g.cells->x);
  all += g.get(kB, g.cells->x, g.cells->seen);
  all.wait();
  g.saw(g.seen());
}

LITMUS(put_fence_get) {
  if (d1::rank() != kA) return;
  d1::completion all = g.put(g.cells->from, kB, g.cells->x);
  d1::fence();
  all += g.get(kB, g.cells->x, g.cells->seen);
  all.wait();
  g.saw(g.seen());
}

// A: get x from B, put x = 1 to B.
LITMUS(get_then_put) {
  if (d1::rank() != kA) return;
  d1::completion all = g.get(kB, g.cells->x, g.cells->seen);
  all += g.put(g.cells->from, kB, g.cells->x);
  all.wait();
  g.saw(g.seen());
}

// A: put x = 1 to B, load x from B.
LITMUS(put_then_load) {
  if (d1::rank() != kA) return;
  const d1::completion sent = g.put(g.cells->from, kB, g.cells->x);
  g.saw(*d1::global_ptr<std::uint32_t>::at(kB, &g.cells->x.value));
  sent.wait();
}

// A: store x = 1 to B, load x from B.
LITMUS(store_then_load) {
  if (d1::rank() != kA) return;
  const auto x = d1::global_ptr<std::uint32_t>::at(kB, &g.cells->x.value);
  *x = 1;
  g.saw(*x);
}

// A: store x = 1 to B, post to B. B: wait, read x.
LITMUS(store_then_post) {
  if (d1::rank() == kA) {
    *d1::global_ptr<std::uint32_t>::at(kB, &g.cells->x.value) = 1;
    arrived::post_remote(kB);
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: post s1 to B, post s2 to B. B: wait for s2, try s1.
LITMUS(two_posts) {
  if (d1::rank() == kA) {
    arrived::post_remote(kB);
    other::post_remote(kB);
  }
  if (d1::rank() == kB) {
    other::wait();
    const bool taken = d1_sem_try(arrived::number, 1) != 0;
    g.saw(taken ? 1 : 0);
    if (!taken) arrived::wait();
  }
}

// A: put x = from (1) to B, from = 2, post done. B's x in the end.
LITMUS(source_changed_at_once) {
  if (d1::rank() == kA) {
    const d1::completion sent = g.put(g.cells->from, kB, g.cells->x);
    const_cast<volatile std::uint32_t&>(g.cells->from.value) = 2;
    sent.wait();
    d1::fence();
    arrived::post_remote(kB);
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// The same, but the source is changed when the put is complete locally.
LITMUS(source_changed_after_completion) {
  if (d1::rank() == kA) {
    g.put(g.cells->from, kB, g.cells->x).wait();
    const_cast<volatile std::uint32_t&>(g.cells->from.value) = 2;
    d1::fence();
    arrived::post_remote(kB);
  }
  if (d1::rank() == kB) {
    arrived::wait();
    g.saw(g.x());
  }
}

// A: put x = 1 to C. B: put x = 2 to C. C: wait for both, read x.
LITMUS(puts_from_two_sources) {
  if (d1::rank() == kB) g.cells->from.value = 2;
  if (d1::rank() != kC) g.put(g.cells->from, kC, g.cells->x, kArrived).wait();
  if (d1::rank() == kC) {
    arrived::wait(2);
    g.saw(g.x());
  }
}

// A: put h = 1 to HBM, post to B. B: wait, get h.
static void hbm_handover(game& g, bool fenced) {
  const d1::global_ptr<std::uint32_t> h(g.hbm);
  if (d1::rank() == kA) {
    const std::span<const std::uint32_t> one(&g.cells->from.value, 1);
    const d1::completion sent = d1::put(one, h);
    if (fenced) d1::fence();
    arrived::post_remote(kB);
    sent.wait();
  }
  if (d1::rank() == kB) {
    arrived::wait();
    const std::span<std::uint32_t> seen(&g.cells->seen.value, 1);
    d1::get(h, seen).wait();
    g.saw(g.seen());
    // Back to 0 for the next round, behind the first put.
    other::post_remote(kA);
    arrived::wait();
    g.cells->spare.value = 0;
    d1::put(std::span<const std::uint32_t>(&g.cells->spare.value, 1), h).wait();
  }
  if (d1::rank() == kA) {
    d1::fence();
    other::wait();
    arrived::post_remote(kB);
  }
}
LITMUS(hbm_put_then_post) { hbm_handover(g, false); }
LITMUS(hbm_put_fence_post) { hbm_handover(g, true); }

// Everybody adds 1 to a word of B, 8 times; 1 if none was lost.
LITMUS(remote_amo) {
  const std::uint64_t x =
      d1_grid_address(kB, static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(g.cells)));
  for (int i = 0; i < 8; ++i)
    __asm__ volatile("amoadd.w zero, %1, (%0)" : : "r"(x), "r"(1) : "memory");
  g.end_round();
  if (d1::rank() == kB && d1::hart() == 0) g.saw(g.x() == 8 * d1::nodes() * d1::harts() ? 1 : 0);
}

// --- between the harts of a node: 2 harts, node A
// ----------------------------------------------------

// Each writes one cell and reads the other one: 2 * r0 + r1.
static void store_buffering(game& g, bool fenced) {
  if (d1::rank() != kA) return;
  volatile std::uint32_t& mine = d1::hart() == 0 ? g.x() : g.y();
  volatile std::uint32_t& theirs = d1::hart() == 0 ? g.y() : g.x();
  mine = 1;
  if (fenced) d1::fence();
  const std::uint32_t seen = theirs;
  if (d1::hart() == 1) {
    g.seen() = seen;
    arrived::post();
    other::wait();
    return;
  }
  arrived::wait();
  g.saw(2 * seen + g.seen());
  other::post();
}
LITMUS(harts_store_buffering) { store_buffering(g, false); }
LITMUS(harts_store_buffering_fenced) { store_buffering(g, true); }

// Hart 0: x = 1, y = 1. Hart 1: reads y, then x: 2 * y + x.
static void message(game& g, bool fenced) {
  if (d1::rank() != kA) return;
  if (d1::hart() == 0) {
    g.x() = 1;
    if (fenced) d1::fence();
    g.y() = 1;
    return;
  }
  const std::uint32_t y = g.y();
  if (fenced) d1::fence();
  const std::uint32_t x = g.x();
  g.saw(2 * y + x);
}
LITMUS(harts_message) { message(g, false); }
LITMUS(harts_message_fenced) { message(g, true); }

// Hart 0: x = 1. Hart 1: reads x twice: 2 * first + second.
LITMUS(harts_read_twice) {
  if (d1::rank() != kA) return;
  if (d1::hart() == 0) {
    g.x() = 1;
    return;
  }
  const std::uint32_t first = g.x();
  const std::uint32_t second = g.x();
  g.saw(2 * first + second);
}

// Hart 0: x = 1, post here. Hart 1: wait, read x.
LITMUS(harts_post) {
  if (d1::rank() != kA) return;
  if (d1::hart() == 0) {
    g.x() = 1;
    arrived::post();
    return;
  }
  arrived::wait();
  g.saw(g.x());
}

// Hart 0: x = 1, then both meet at a barrier, hart 1 reads x.
LITMUS(harts_barrier) {
  if (d1::rank() == kA && d1::hart() == 0) g.x() = 1;
  d1::node_barrier();
  if (d1::rank() == kA && d1::hart() == 1) g.saw(g.x());
}
