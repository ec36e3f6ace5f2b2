// SPDX-License-Identifier: Apache-2.0
// Micro-benchmarks of the time model. Each records for every hart that takes part the cycle it
// began and the one it ended: the host looks at the latest end less the earliest begin, at two
// lengths, so whatever comes before and after the loop cancels out.
//
// Loops are written as assembly: what is measured is what stands here.
#include <d1/kernel.hpp>

namespace {

using stamps = d1::sharded<std::uint64_t>;  // 2 words a hart
using room = d1::replicated<std::uint8_t>;

void record(stamps out, std::uint64_t start, std::uint64_t end) {
  out[2 * d1::hart()] = start;
  out[2 * d1::hart() + 1] = end;
}

std::uint64_t begin() {
  d1::node_barrier();
  return d1::cycles();
}

// The barrier closes the accounts of the node's harts before the clock is read.
void finish(stamps out, std::uint64_t start) {
  d1::node_barrier();
  record(out, start, d1::cycles());
}

// Whoever comes back from another node starts on a whole cycle.
void align(room data, std::uint64_t other) {
  (void)std::uint8_t(
      *d1::global_ptr<std::uint8_t>::at(static_cast<std::uint32_t>(other), data.data()));
}
void align(room data) { align(data, (d1::rank() + 1) % d1::nodes()); }

}  // namespace

// The counter goes first, so that the branch does not wait for it.
#define LOOP(rounds, base, body, ...)                               \
  __asm__ volatile("1:\n addi %0, %0, -1\n" body "\n bnez %0, 1b\n" \
                   : "+r"(rounds)                                   \
                   : "r"(base)                                      \
                   : "memory", __VA_ARGS__)
#define MMA(c) ".insn r 0x0b, 2, 0, " c ", v28, v29\n"
#define MMA_CF8(c) ".insn r 0x0b, 2, 1, " c ", v28, v29\n"
#define SEVEN(op) op("v0") op("v4") op("v8") op("v12") op("v16") op("v20") op("v24")
#define VECTORS                                                                                  \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
      "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", \
      "v28", "v29", "v30", "v31"
#define SCALARS "t0", "t1", "t2", "t3", "t4", "t5"

// 28 products a round, each accumulator used every seventh time.
D1_KERNEL void matrix(stamps out, room, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, 0, SEVEN(MMA) SEVEN(MMA) SEVEN(MMA) SEVEN(MMA), VECTORS);
  finish(out, start);
}

D1_KERNEL void matrix_cf8(stamps out, room, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, 0, SEVEN(MMA_CF8) SEVEN(MMA_CF8) SEVEN(MMA_CF8) SEVEN(MMA_CF8), VECTORS);
  finish(out, start);
}

// Each product waits for the one before it. One stretch: a loop would begin a new one each round.
#define CHAIN(name, length)                                                              \
  D1_KERNEL void name(stamps out, room) {                                                \
    std::uint64_t start, end;                                                            \
    __asm__ volatile("rdcycle %0\n .rept " #length "\n" MMA("v0") ".endr\n rdcycle %1\n" \
                     : "=&r"(start), "=&r"(end)                                          \
                     :                                                                   \
                     : VECTORS);                                                         \
    record(out, start, end);                                                             \
  }
CHAIN(matrix_chain_short, 8)
CHAIN(matrix_chain_long, 40)

// 24 registers of 16 FP32 multiply-accumulates a round.
#define FMA(c) "vfmacc.vv " c ", v28, v29\n"
D1_KERNEL void simd(stamps out, room, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  __asm__ volatile("vsetvli zero, %0, e32, m1, ta, ma" : : "r"(16));
  LOOP(rounds, 0,
       FMA("v0") FMA("v1") FMA("v2") FMA("v3") FMA("v4") FMA("v5") FMA("v6") FMA("v7") FMA("v8")
           FMA("v9") FMA("v10") FMA("v11") FMA("v12") FMA("v13") FMA("v14") FMA("v15") FMA("v16")
               FMA("v17") FMA("v18") FMA("v19") FMA("v20") FMA("v21") FMA("v22") FMA("v23"),
       VECTORS);
  finish(out, start);
}

// 32 scalar operations a round, the loop's two included.
D1_KERNEL void alu(stamps out, room, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, 0,
       ".rept 5\n addi t0, t0, 1\n addi t1, t1, 1\n addi t2, t2, 1\n addi t3, t3, 1\n"
       " addi t4, t4, 1\n addi t5, t5, 1\n .endr",
       SCALARS);
  finish(out, start);
}

// 30 scalar loads a round.
D1_KERNEL void address(stamps out, room data, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, data.data(),
       ".rept 5\n ld t0, 0(%1)\n ld t1, 8(%1)\n ld t2, 16(%1)\n ld t3, 24(%1)\n"
       " ld t4, 32(%1)\n ld t5, 40(%1)\n .endr",
       SCALARS);
  finish(out, start);
}

// 2048 bytes a round.
D1_KERNEL void vector_load(stamps out, room data, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, data.data(),
       "vl8re64.v v0, (%1)\n vl8re64.v v8, (%1)\n vl8re64.v v16, (%1)\n vl8re64.v v24, (%1)",
       VECTORS);
  finish(out, start);
}
D1_KERNEL void vector_store(stamps out, room data, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, data.data(),
       "vs8r.v v0, (%1)\n vs8r.v v8, (%1)\n vs8r.v v16, (%1)\n vs8r.v v24, (%1)", VECTORS);
  finish(out, start);
}

// With one scalar word for each cycle of the vector ports: 2048 + 128, and 2048 + 256 bytes.
D1_KERNEL void all_load(stamps out, room data, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, data.data(),
       ".rept 4\n vl8re64.v v0, (%1)\n ld t0, 0(%1)\n ld t1, 8(%1)\n ld t2, 16(%1)\n"
       " ld t3, 24(%1)\n .endr",
       SCALARS, VECTORS);
  finish(out, start);
}
D1_KERNEL void all_store(stamps out, room data, std::uint64_t rounds) {
  const std::uint64_t start = begin();
  LOOP(rounds, data.data(),
       ".rept 4\n vs8r.v v0, (%1)\n sd t0, 0(%1)\n sd t1, 8(%1)\n sd t2, 16(%1)\n sd t3, 24(%1)\n"
       " sd t0, 32(%1)\n sd t1, 40(%1)\n sd t2, 48(%1)\n sd t3, 56(%1)\n .endr",
       SCALARS, VECTORS);
  finish(out, start);
}

// Hart h idles h times `idle` rounds, then multiplies: bursts that meet on the unit.
D1_KERNEL void matrix_bursts(stamps out, room, std::uint64_t rounds, std::uint64_t idle) {
  const std::uint64_t start = begin();
  std::uint64_t wait = 1 + idle * d1::hart();
  LOOP(wait, 0, "addi t0, t0, 1", SCALARS);
  LOOP(rounds, 0, SEVEN(MMA) SEVEN(MMA) SEVEN(MMA) SEVEN(MMA), VECTORS);
  finish(out, start);
}

// --- between nodes
// ---------------------------------------------------------------------------------

// Loads, one after the other, from another node.
D1_KERNEL void remote_load(stamps out, room data, std::uint64_t rounds, std::uint64_t from,
                           std::uint64_t to) {
  if (d1::rank() != from) return;
  const std::uint64_t remote =
      d1::global_ptr<std::uint8_t>::at(static_cast<std::uint32_t>(to), data.data()).address();
  align(data, to);
  const std::uint64_t start = d1::cycles();
  LOOP(rounds, remote, "ld t0, 0(%1)", SCALARS);
  record(out, start, d1::cycles());
}

// Loads, one after the other, from HBM.
D1_KERNEL void hbm_load(stamps out, room data, std::uint64_t rounds, std::uint64_t hbm) {
  align(data);
  const std::uint64_t start = d1::cycles();
  LOOP(rounds, hbm, "ld t0, 0(%1)", SCALARS);
  record(out, start, d1::cycles());
}

// Puts of `bytes` to up to four ranks (16 bits each in `to`), until they are there.
D1_KERNEL void scatter(stamps out, room data, std::uint64_t bytes, std::uint64_t from,
                       std::uint64_t to, std::uint64_t count) {
  if (d1::rank() != from) return;
  align(data);
  const std::uint64_t start = d1::cycles();
  d1::completion all;
  for (; count != 0; --count, to >>= 16)
    all += d1::put(std::span<const std::uint8_t>(data.data(), bytes),
                   d1::global_ptr<std::uint8_t>::at(to & 0xffff, data.data()));
  d1::fence();
  const std::uint64_t end = d1::cycles();
  all.wait();
  record(out, start, end);
}

// Every node but one puts to that one.
D1_KERNEL void gather(stamps out, room data, std::uint64_t bytes, std::uint64_t to) {
  d1::grid_barrier();
  if (d1::rank() == to) return;
  align(data);
  const std::uint64_t start = d1::cycles();
  const d1::completion sent =
      d1::put(std::span<const std::uint8_t>(data.data(), bytes),
              d1::global_ptr<std::uint8_t>::at(static_cast<std::uint32_t>(to), data.data()));
  d1::fence();
  const std::uint64_t end = d1::cycles();
  sent.wait();
  record(out, start, end);
}

// The nodes of one column put to those of the next. In pieces, each when the source may be reused:
// the network serves long transfers one after the other.
constexpr std::uint64_t kEdgePiece = 16 * 1024, kHbmPiece = 2 * 1024;
D1_KERNEL void across(stamps out, room data, std::uint64_t pieces, std::uint64_t column) {
  d1::grid_barrier();
  if (d1::column() != column) return;
  align(data);
  const std::uint64_t start = d1::cycles();
  for (; pieces != 0; --pieces)
    d1::put(std::span<const std::uint8_t>(data.data(), kEdgePiece),
            d1::global_ptr<std::uint8_t>::at(d1::rank() + 1, data.data()))
        .wait();
  d1::fence();
  record(out, start, d1::cycles());
}

D1_KERNEL void multicast(stamps out, room data, std::uint64_t bytes) {
  if (d1::rank() != 0) return;
  const std::uint64_t start = d1::cycles();
  const d1::completion sent =
      d1::multicast(std::span<std::uint8_t>(data.data(), bytes), data.data(),
                    {0, 0, d1::grid_rows(), d1::grid_columns()});
  d1::fence();
  const std::uint64_t end = d1::cycles();
  sent.wait();
  record(out, start, end);
}

// Every node reads its part of HBM, in pieces.
D1_KERNEL void hbm_read(stamps out, room data, std::uint64_t pieces, std::uint64_t hbm) {
  d1::grid_barrier();
  align(data);
  const std::uint64_t start = d1::cycles();
  for (std::uint64_t i = 0; i < pieces; ++i)
    d1::get(d1::global_ptr<std::uint8_t>(hbm + (d1::rank() * pieces + i) * kHbmPiece),
            std::span<std::uint8_t>(data.data(), kHbmPiece))
        .wait();
  record(out, start, d1::cycles());
}

D1_KERNEL void barriers(stamps out, room, std::uint64_t rounds) {
  d1::grid_barrier();
  const std::uint64_t start = d1::cycles();
  LOOP(rounds, std::uint64_t{1}, ".insn r 0x2b, 1, 1, x0, %1, x0", SCALARS);
  record(out, start, d1::cycles());
}

// Two nodes post to each other in turn.
D1_KERNEL void ping(stamps out, room data, std::uint64_t rounds, std::uint64_t a, std::uint64_t b) {
  if (d1::rank() != a && d1::rank() != b) return;
  const bool first = d1::rank() == a;
  const std::uint64_t other = d1_grid_address(static_cast<std::uint32_t>(first ? b : a), 0);
  align(data, first ? b : a);
  const std::uint64_t start = d1::cycles();
  if (first)
    __asm__ volatile(
        "1:\n addi %0, %0, -1\n"
        " .insn r 0x2b, 0, 3, x0, %1, %2\n"    // d1.sem.post
        " .insn r 0x2b, 0, 0, x0, zero, %2\n"  // d1.sem.wait
        " bnez %0, 1b\n"
        : "+r"(rounds)
        : "r"(other), "r"(1)
        : "memory");
  else
    __asm__ volatile(
        "1:\n addi %0, %0, -1\n"
        " .insn r 0x2b, 0, 0, x0, zero, %2\n"
        " .insn r 0x2b, 0, 3, x0, %1, %2\n"
        " bnez %0, 1b\n"
        : "+r"(rounds)
        : "r"(other), "r"(1)
        : "memory");
  if (first) record(out, start, d1::cycles());
}
