/* SPDX-License-Identifier: Apache-2.0
 * What is tested: a ring of bytes. Replace it by your own code. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

enum { RING_BYTES = 8 };

struct ring {
  uint8_t bytes[RING_BYTES];
  uint32_t head, tail; /* counted on and on */
};

static inline bool ring_put(struct ring *ring, uint8_t byte) {
  if (ring->head - ring->tail == RING_BYTES) return false;
  ring->bytes[ring->head++ % RING_BYTES] = byte;
  return true;
}

static inline bool ring_take(struct ring *ring, uint8_t *byte) {
  if (ring->head == ring->tail) return false;
  *byte = ring->bytes[ring->tail++ % RING_BYTES];
  return true;
}

#endif
