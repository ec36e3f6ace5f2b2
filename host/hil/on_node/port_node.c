/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of C tests on a node: memory from a block of SRAM, the host's log for what tests print.
 * What ends a program (a bad pointer, say) traps, and the host's runner tells of it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <d1/hil/c_test_port.h>
#include <d1/xd1.h>

enum { HEAP_BYTES = 192 * 1024, LINE_BYTES = 192 };

/* First fit; neighbours that are free are joined when somebody looks for room. */
struct chunk {
  uint64_t bytes; /* behind this head */
  uint64_t used;
};

static _Alignas(16) unsigned char heap[HEAP_BYTES];

static struct chunk *behind(struct chunk *chunk) {
  return (struct chunk *)((unsigned char *)(chunk + 1) + chunk->bytes);
}

void *d1_test_port_allocate(size_t bytes) {
  struct chunk *const end = (struct chunk *)(heap + HEAP_BYTES);
  struct chunk *chunk = (struct chunk *)heap;
  if (bytes > HEAP_BYTES) return NULL;
  if (chunk->bytes == 0) chunk->bytes = HEAP_BYTES - sizeof *chunk;
  bytes = (bytes + 15) & ~(size_t)15;
  for (; chunk != end; chunk = behind(chunk)) {
    if (chunk->used) continue;
    for (struct chunk *next = behind(chunk); next != end && !next->used; next = behind(chunk))
      chunk->bytes += sizeof *next + next->bytes;
    if (chunk->bytes < bytes) continue;
    if (chunk->bytes - bytes > sizeof *chunk) {
      const uint64_t rest = chunk->bytes - bytes - sizeof *chunk;
      chunk->bytes = bytes;
      *behind(chunk) = (struct chunk){rest, 0};
    }
    chunk->used = 1;
    return chunk + 1;
  }
  return NULL;
}

void d1_test_port_release(void *memory) {
  if (memory != NULL) ((struct chunk *)memory - 1)->used = 0;
}

void d1_test_port_write(enum d1_test_stream stream, const char *text, size_t bytes) {
  (void)stream;
  for (size_t part; bytes != 0; text += part, bytes -= part) {
    part = bytes < LINE_BYTES ? bytes : LINE_BYTES;
    d1_print(text, part);
  }
}

void d1_test_port_guard(void) {}
void d1_test_port_unguard(void) {}
void d1_test_port_failing(void) {}

void d1_test_port_give_up(void) { __builtin_trap(); }

const char *d1_test_port_error_text(int number) { return strerror(number); }
