/* SPDX-License-Identifier: Apache-2.0
 *
 * Queues of what tests have programmed: values to return, parameters and calls to expect.
 */
#include <string.h>

#include "internal.h"

static void *allocate_or_fail(size_t bytes, const char *file, int line) {
  void *memory = d1_test_port_allocate(bytes);
  if (memory == NULL) {
    d1_test_note("no memory is left for what the test programs\n");
    d1_test_fail_at(file, line);
  }
  memset(memory, 0, bytes);
  return memory;
}

struct d1_test_item *d1_test_new_item(size_t extra_bytes, const char *file, int line, int count) {
  if (count == 0) {
    d1_test_note("a count of 0: what is never taken cannot be programmed\n");
    d1_test_fail_at(file, line);
  }
  struct d1_test_item *item = allocate_or_fail(sizeof *item + extra_bytes, file, line);
  item->file = file;
  item->line = line;
  item->count = count;
  return item;
}

static bool same_name(const char *left, const char *right) {
  return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

struct d1_test_queue *d1_test_queue_of(struct d1_test_queue **queues, const char *function,
                                       const char *parameter) {
  struct d1_test_queue **place = queues;
  for (; *place != NULL; place = &(*place)->next) {
    if (same_name((*place)->function, function) && same_name((*place)->parameter, parameter)) {
      return *place;
    }
  }
  struct d1_test_queue *queue = allocate_or_fail(sizeof *queue, "", 0);
  queue->function = function;
  queue->parameter = parameter;
  *place = queue;
  return queue;
}

void d1_test_append(struct d1_test_item **first, struct d1_test_item *item) {
  while (*first != NULL) first = &(*first)->next;
  *first = item;
}

bool d1_test_use_up(struct d1_test_item **place) {
  struct d1_test_item *item = *place;
  if (item->count < WILL_RETURN_ALWAYS) return false;
  if (--item->count != 0) return false;  /* one that always returns need not any more */
  *place = item->next;
  return true;
}

bool d1_test_items_left(struct d1_test_item **first) {
  if (*first != NULL && (*first)->count < WILL_RETURN_ALWAYS) {
    struct d1_test_item *forgiven = *first;
    *first = forgiven->next;
    d1_test_port_release(forgiven);
  }
  for (const struct d1_test_item *item = *first; item != NULL; item = item->next) {
    d1_test_note_at(item->file, item->line, "programmed here\n");
  }
  return *first != NULL;
}

void d1_test_drop_items(struct d1_test_item **first) {
  while (*first != NULL) {
    struct d1_test_item *item = *first;
    *first = item->next;
    d1_test_port_release(item);
  }
}

void d1_test_drop_queues(struct d1_test_queue **queues) {
  while (*queues != NULL) {
    struct d1_test_queue *queue = *queues;
    *queues = queue->next;
    d1_test_drop_items(&queue->first);
    d1_test_port_release(queue);
  }
}
