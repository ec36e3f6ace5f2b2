/* SPDX-License-Identifier: Apache-2.0
 *
 * test_malloc() and its like. A block is its header, a guard, the memory, and a guard:
 *
 *   | struct block | 16 bytes | size bytes | 16 bytes |
 *
 * The list goes from the newest to the oldest, since what is freed is mostly new.
 */
#include <string.h>

#include "internal.h"

enum { GUARD_BYTES = 16, GUARD = 0xe1, NEW = 0xa5, FREED = 0xdd };

struct block {
  _Alignas(16) struct block *older;
  uint64_t number;
  size_t size;
  const char *file;
  int line;
};

static struct block *newest;
static uint64_t next_number;

static unsigned char *memory_of(struct block *block) {
  return (unsigned char *)(block + 1) + GUARD_BYTES;
}

static size_t bytes_around(size_t size) { return sizeof(struct block) + 2 * GUARD_BYTES + size; }

static void *allocate(size_t size, int fill, const char *file, int line) {
  if (bytes_around(size) < size) return NULL;
  struct block *block = d1_test_port_allocate(bytes_around(size));
  if (block == NULL) return NULL;
  block->older = newest;
  block->number = next_number++;
  block->size = size;
  block->file = file;
  block->line = line;
  newest = block;
  unsigned char *memory = memory_of(block);
  memset(memory - GUARD_BYTES, GUARD, GUARD_BYTES);
  memset(memory, fill, size);
  memset(memory + size, GUARD, GUARD_BYTES);
  return memory;
}

static bool is_guard(const unsigned char *bytes, const char *where, const struct block *block) {
  for (int i = 0; i < GUARD_BYTES; ++i) {
    if (bytes[i] == GUARD) continue;
    d1_test_note("something wrote %s a block of %zu bytes, at %p\n", where, block->size,
                 (const void *)(bytes + i));
    return false;
  }
  return true;
}

/* Takes the block out of the list, in any case. */
static bool release(struct block **place) {
  struct block *block = *place;
  unsigned char *memory = memory_of(block);
  const bool front = is_guard(memory - GUARD_BYTES, "in front of", block);
  const bool back = is_guard(memory + block->size, "behind", block);
  if (!front || !back) d1_test_note_at(block->file, block->line, "allocated here\n");
  *place = block->older;
  memset(memory, FREED, block->size);
  d1_test_port_release(block);
  return front && back;
}

static struct block **find(const void *memory) {
  struct block **place = &newest;
  while (*place != NULL && memory_of(*place) != memory) place = &(*place)->older;
  return place;
}

static void release_at(const void *memory, const char *file, int line) {
  struct block **place = find(memory);
  if (*place == NULL) {
    d1_test_note("%p is no block of test_malloc(), or one that was freed before\n", memory);
    d1_test_fail_at(file, line);
  }
  if (!release(place)) d1_test_fail_at(file, line);
}

void *_test_malloc(const size_t size, const char *file, const int line) {
  return allocate(size, NEW, file, line);
}

void *_test_calloc(const size_t number_of_elements, const size_t size, const char *file,
                   const int line) {
  if (size != 0 && number_of_elements > SIZE_MAX / size) return NULL;
  return allocate(number_of_elements * size, 0, file, line);
}

void *_test_realloc(void *ptr, const size_t size, const char *file, const int line) {
  if (ptr == NULL) return _test_malloc(size, file, line);
  if (size == 0) {
    _test_free(ptr, file, line);
    return NULL;
  }
  const struct block *old = *find(ptr);
  const size_t kept = old == NULL ? 0 : old->size < size ? old->size : size;
  void *memory = NULL;
  if (old != NULL) {
    memory = allocate(size, NEW, file, line);
    if (memory == NULL) return NULL;
    memcpy(memory, ptr, kept);
  }
  release_at(ptr, file, line);
  return memory;
}

void _test_free(void *const ptr, const char *file, const int line) {
  if (ptr != NULL) release_at(ptr, file, line);
}

uint64_t d1_test_next_block(void) { return next_number; }

/* Since it was asked last: was one that was not freed also written beside? */
static bool damaged_leaks;

bool d1_test_take_damaged_leaks(void) {
  const bool taken = damaged_leaks;
  damaged_leaks = false;
  return taken;
}

size_t d1_test_blocks_left(uint64_t from) {
  size_t left = 0;
  while (newest != NULL && newest->number >= from) {
    ++left;
    d1_test_note_at(newest->file, newest->line, "a block of %zu bytes was allocated here\n",
                    newest->size);
    if (!release(&newest)) damaged_leaks = true;
  }
  if (left != 0) d1_test_note("%zu block%s not freed\n", left, left == 1 ? " was" : "s were");
  return left;
}
