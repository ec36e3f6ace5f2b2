// SPDX-License-Identifier: Apache-2.0
// Kernels for the tests of the device. `out` is an SRAM offset where each node leaves its result.
#include <d1/kernel.hpp>

namespace {

using sent = d1::semaphore<0>;

volatile std::uint32_t* words(std::uint64_t offset) {
  return reinterpret_cast<volatile std::uint32_t*>(offset);
}
volatile std::uint64_t* doubles(std::uint64_t offset) {
  return reinterpret_cast<volatile std::uint64_t*>(offset);
}

}  // namespace

D1_KERNEL void nothing() {}

D1_KERNEL void who(std::uint64_t out) {
  words(out)[4 * d1::hart()] = d1::rank();
  words(out)[4 * d1::hart() + 1] = d1::nodes();
  words(out)[4 * d1::hart() + 2] = d1::row() << 16 | d1::column();
  words(out)[4 * d1::hart() + 3] = d1::harts();
}

// Slots beyond the registers, and both kinds of them.
D1_KERNEL void arguments(std::uint64_t out, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                         std::uint64_t d, std::uint64_t e, std::uint64_t f, std::uint64_t g,
                         std::uint64_t h, std::uint64_t i) {
  *doubles(out) = a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g +
                  10000000 * h + 100000000 * i;
}

// Each node passes a growing sum around the ring of ranks, a lap for each round.
D1_KERNEL void ring(std::uint64_t out, std::uint64_t rounds) {
  const std::uint32_t next = (d1::rank() + 1) % d1::nodes();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    if (d1::rank() != 0 || round != 0) sent::wait();
    const std::uint64_t sum = *doubles(out) + d1::rank();
    *d1::global_ptr<std::uint64_t>(d1_grid_address(next, static_cast<std::uint32_t>(out))) = sum;
    sent::post_remote(next);
  }
  if (d1::rank() == 0) sent::wait();
}

// The same work on every node, and no messages.
D1_KERNEL void count(std::uint64_t out, std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds; ++round) *doubles(out) += round;
}

// Hart 1 notes the time and posts, hart 0 waits for it: how often that was over before it began.
// Hart 2 looks at semaphores now and then, which must tell nobody anything early.
D1_KERNEL void causality(std::uint64_t out, std::uint64_t rounds) {
  using told = d1::semaphore<1>;
  using heard = d1::semaphore<2>;
  std::uint32_t state = d1::hart() + 1;
  std::uint64_t wrong = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    state = state * 1664525u + 1013904223u;
    for (std::uint32_t i = 0; i < state >> 24; ++i) words(out)[64 + d1::hart()] += i;
    std::uint64_t now;
    if (d1::hart() == 1) {
      __asm__ volatile("rdcycle %0" : "=r"(now));
      *doubles(out + 8) = now;
      told::post();
      heard::wait();
    } else if (d1::hart() == 2) {
      (void)told::value();
    } else {
      told::wait();
      __asm__ volatile("rdcycle %0" : "=r"(now));
      wrong += now < *doubles(out + 8);
      heard::post();
    }
  }
  if (d1::hart() == 0) *doubles(out) = wrong;
}

// Uneven work and messages to many nodes: food for the trace hash.
D1_KERNEL void storm(std::uint64_t out, std::uint64_t rounds) {
  std::uint32_t state = d1::rank() * 2654435761u + d1::hart() * 40503u + 1;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    state = state * 1664525u + 1013904223u;
    for (std::uint32_t i = 0; i < state >> 24; ++i) words(out)[64 + (i & 63)] += i;
    const std::uint32_t to = (state >> 8) % d1::nodes();
    const auto cell = static_cast<std::uint32_t>(out + 4 * (state & 15));
    __asm__ volatile("amoadd.w zero, %1, (%0)"
                     :
                     : "r"(d1_grid_address(to, cell)), "r"(1)
                     : "memory");
  }
  d1::grid_barrier();
}

D1_KERNEL void barriers(std::uint64_t out, std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds; ++round) {
    words(out)[d1::hart()] = static_cast<std::uint32_t>(round);
    d1::grid_barrier();
    // Everyone has written this round, nobody the next but one.
    const std::uint32_t peer = (d1::rank() * 7 + 3) % d1::nodes();
    const std::uint32_t seen = *d1::global_ptr<std::uint32_t>::at(
        peer, const_cast<std::uint32_t*>(words(out) + d1::hart()));
    if (seen != round && seen != round + 1) __builtin_trap();
    d1::grid_barrier();
  }
}

D1_KERNEL void null_store(std::uint64_t rank) {
  if (d1::rank() == rank) *reinterpret_cast<volatile int*>(0) = 1;
  for (;;) __asm__ volatile("" : : : "memory");
}

D1_KERNEL void jump(std::uint64_t to) { reinterpret_cast<void (*)()>(to)(); }
D1_KERNEL void forever() {
  for (;;) __asm__ volatile("" : : : "memory");
}
D1_KERNEL void wait_for_nobody() { d1::semaphore<7>::wait(3); }
D1_KERNEL void wait_then_store(std::uint64_t out) {
  d1::semaphore<7>::wait(3);
  *words(out) = 7;
}
D1_KERNEL void load_from(std::uint64_t address) {
  (void)*reinterpret_cast<volatile std::uint64_t*>(address);
}
D1_KERNEL void transfer_of(std::uint64_t kind, std::uint64_t rows, std::uint64_t row_bytes,
                           std::uint64_t local, std::uint64_t local_pitch, std::uint64_t remote,
                           std::uint64_t remote_pitch) {
  d1_transfer transfer{};
  transfer.kind = static_cast<std::uint8_t>(kind);
  transfer.local_semaphore = transfer.remote_semaphore = D1_NO_SEMAPHORE;
  transfer.rows = static_cast<std::uint32_t>(rows);
  transfer.row_bytes = static_cast<std::uint32_t>(row_bytes);
  transfer.local = local;
  transfer.local_pitch = static_cast<std::uint32_t>(local_pitch);
  transfer.remote = remote;
  transfer.remote_pitch = static_cast<std::uint32_t>(remote_pitch);
  transfer.grid_rows = transfer.grid_columns = 2;
  d1_xfer(&transfer, 1);
  d1_xfer_wait();
}
D1_KERNEL void say(std::uint64_t lines) {
  for (std::uint64_t i = 0; i < lines; ++i)
    printf("rank %u hart %u line %u\n", d1::rank(), d1::hart(), static_cast<unsigned>(i));
}

// Writes a function into data, then calls it, with and without fence.i; 1 and then 2.
D1_KERNEL void rewrite(std::uint64_t out) {
  alignas(64) static std::uint32_t code[2];
  auto* const body = const_cast<volatile std::uint32_t*>(code);
  const auto call = reinterpret_cast<std::uint64_t (*)()>(code);
  body[0] = 0x00100513;  // li a0, 1
  body[1] = 0x00008067;  // ret
  __asm__ volatile("fence.i" : : : "memory");
  doubles(out)[0] = call();
  body[0] = 0x00200513;  // li a0, 2
  doubles(out)[1] = call();
  __asm__ volatile("fence.i" : : : "memory");
  doubles(out)[2] = call();
}

// Rank 0 puts a block to every node in turn, each followed by the next from the same source.
D1_KERNEL void put_order(std::uint64_t buffer, std::uint64_t rounds) {
  if (d1::rank() == 0) {
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      auto* block = reinterpret_cast<std::uint32_t*>(buffer);
      for (unsigned i = 0; i < 256; ++i) block[i] = static_cast<std::uint32_t>(round);
      for (std::uint32_t to = 1; to < d1::nodes(); ++to)
        d1::put(std::span<const std::uint32_t>(block, round % 2 == 0 ? 256 : 1),
                d1::global_ptr<std::uint32_t>::at(to, block), {.far = d1::semaphore_of<sent>()})
            .wait();
    }
    return;
  }
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    sent::wait();
    if (words(buffer)[0] < round) __builtin_trap();  // a post before its data
  }
  if (words(buffer)[0] != rounds || words(buffer)[255] + 1 < rounds) __builtin_trap();
}
