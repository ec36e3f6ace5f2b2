/* SPDX-License-Identifier: Apache-2.0
 *
 * How a buffer's elements are divided between the nodes of a grid, and what a kernel is handed for
 * it. The runtime that allocates and copies, and the kernel that works on its part, both ask here.
 *
 * A sharded buffer lies at one SRAM offset on all nodes. Rank r holds the elements from
 * r * chunk on, chunk of them; the last ranks may hold fewer, or none. A chunk is the least number
 * of elements that lets all ranks together hold the buffer and whose bytes are a multiple of
 * D1_PLACEMENT_ALIGNMENT, so every chunk begins on a whole packet.
 */
#ifndef D1_ABI_PLACEMENT_H
#define D1_ABI_PLACEMENT_H

#include <stdint.h>

#define D1_PLACEMENT_ALIGNMENT 64u

/* A parameter d1::sharded<T>, d1::replicated<T>, d1::on_node<T> or d1::hbm<T> of a kernel: two
 * argument slots. */
struct d1_buffer_argument {
  uint64_t address; /* offset in SRAM; a device address for hbm and on_node */
  uint64_t count;   /* elements of the whole buffer, also when it is sharded */
};

/* Elements of a chunk. element_bytes > 0, nodes > 0. */
static inline uint64_t d1_shard_chunk(uint64_t count, uint64_t nodes, uint64_t element_bytes) {
  /* Least number of elements with whole packets: element_bytes' largest power of two decides. */
  const uint64_t power = element_bytes & (~element_bytes + 1);
  const uint64_t step = power < D1_PLACEMENT_ALIGNMENT ? D1_PLACEMENT_ALIGNMENT / power : 1;
  const uint64_t chunk = count / nodes + (count % nodes != 0);
  return (chunk + step - 1) & ~(step - 1);
}

/* First element of a rank's chunk, at most count. rank < nodes, so the product stays in range for
 * every buffer that fits in a machine. */
static inline uint64_t d1_shard_first(uint64_t count, uint64_t chunk, uint64_t rank) {
  const uint64_t first = rank * chunk;
  return first < count ? first : count;
}

/* Elements that a rank holds. */
static inline uint64_t d1_shard_size(uint64_t count, uint64_t chunk, uint64_t rank) {
  const uint64_t rest = count - d1_shard_first(count, chunk, rank);
  return rest < chunk ? rest : chunk;
}

#ifdef __cplusplus
static_assert(sizeof(struct d1_buffer_argument) == 16, "two argument slots");
#else
_Static_assert(sizeof(struct d1_buffer_argument) == 16, "two argument slots");
#endif

#endif
