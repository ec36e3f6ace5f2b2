/* SPDX-License-Identifier: Apache-2.0
 *
 * will_return() and mock().
 */
#include "internal.h"

static struct d1_test_queue *queues;

void _will_return(const char *const function_name, const char *const file, const int line,
                  const LargestIntegralType value, const int count) {
  struct d1_test_item *item = d1_test_new_item(0, file, line, count);
  item->value = value;
  d1_test_append(&d1_test_queue_of(&queues, function_name, NULL)->first, item);
}

LargestIntegralType _mock(const char *const function, const char *const file, const int line) {
  struct d1_test_queue *queue = d1_test_queue_of(&queues, function, NULL);
  struct d1_test_item *item = queue->first;
  if (item == NULL) {
    d1_test_note_at(file, line, "%s() is to return a value, and none is programmed\n", function);
    if (queue->last_file != NULL) {
      d1_test_note_at(queue->last_file, queue->last_line, "it returned this one before\n");
    }
    d1_test_fail_at(file, line);
  }
  queue->last_file = item->file;
  queue->last_line = item->line;
  const LargestIntegralType value = item->value;
  if (d1_test_use_up(&queue->first)) d1_test_port_release(item);
  return value;
}

bool d1_test_return_values_left(void) {
  bool left = false;
  for (struct d1_test_queue *queue = queues; queue != NULL; queue = queue->next) {
    if (!d1_test_items_left(&queue->first)) continue;
    left = true;
    d1_test_note("%s() was to return this, and did not\n", queue->function);
  }
  return left;
}

void d1_test_drop_return_values(void) { d1_test_drop_queues(&queues); }
