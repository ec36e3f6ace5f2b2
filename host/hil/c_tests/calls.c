/* SPDX-License-Identifier: Apache-2.0
 *
 * expect_function_call() and function_called(): calls in one order, over all functions.
 */
#include <string.h>

#include "internal.h"

/* The value of an item is the function's name. */
static struct d1_test_item *expected;

static const char *name_of(const struct d1_test_item *item) {
  return (const char *)(uintptr_t)item->value;
}

static bool may_be_missing(const struct d1_test_item *item) {
  return item->count < WILL_RETURN_ALWAYS;
}

void _expect_function_call(const char *const function_name, const char *const file, const int line,
                           const int count) {
  struct d1_test_item *item = d1_test_new_item(0, file, line, count);
  item->value = cast_ptr_to_largest_integral_type(function_name);
  d1_test_append(&expected, item);
}

void _function_called(const char *const function, const char *const file, const int line) {
  struct d1_test_item **place = &expected;
  while (*place != NULL && may_be_missing(*place) && strcmp(name_of(*place), function) != 0) {
    place = &(*place)->next;
  }
  struct d1_test_item *item = *place;
  if (item == NULL) {
    d1_test_note_at(file, line, "%s() was called, and no call is expected\n", function);
    d1_test_fail_at(file, line);
  }
  if (strcmp(name_of(item), function) != 0) {
    d1_test_note_at(file, line, "%s() was called, and %s() is expected\n", function, name_of(item));
    d1_test_note_at(item->file, item->line, "expected since here\n");
    d1_test_fail_at(file, line);
  }
  if (d1_test_use_up(place)) d1_test_port_release(item);
}

bool d1_test_calls_left(void) {
  if (!d1_test_items_left(&expected)) return false;
  d1_test_note("%s() was to be called, and was not\n", name_of(expected));
  return true;
}

void d1_test_drop_calls(void) { d1_test_drop_items(&expected); }
