/* SPDX-License-Identifier: Apache-2.0
 *
 * expect_*() and check_expected(): what parameters a mock is to get.
 */
#include <string.h>

#include "internal.h"

static struct d1_test_queue *queues;

/* What checks need beyond a value lies behind their item. */
struct range {
  LargestIntegralType least, most;
};
struct set {
  size_t count;
  LargestIntegralType values[];
};
struct bytes {
  size_t count;
  unsigned char values[];
};

struct place {
  const char *function, *parameter, *file;
  int line, count;
};

static struct place at(const char *function, const char *parameter, const char *file, int line,
                       int count) {
  const struct place place = {function, parameter, file, line, count};
  return place;
}

static void expect(struct place place, struct d1_test_item *item, CheckParameterValue check,
                   LargestIntegralType value) {
  item->check = check;
  item->value = value;
  d1_test_append(&d1_test_queue_of(&queues, place.function, place.parameter)->first, item);
}

static void expect_plain(struct place place, CheckParameterValue check, LargestIntegralType value) {
  expect(place, d1_test_new_item(0, place.file, place.line, place.count), check, value);
}

/* With a copy of data of that size: the check gets its address. */
static void expect_with(struct place place, CheckParameterValue check, size_t head_bytes,
                        const void *head, size_t tail_bytes, const void *tail) {
  struct d1_test_item *item =
      d1_test_new_item(head_bytes + tail_bytes, place.file, place.line, place.count);
  unsigned char *data = (unsigned char *)(item + 1);
  memcpy(data, head, head_bytes);
  if (tail_bytes != 0) memcpy(data + head_bytes, tail, tail_bytes);
  expect(place, item, check, cast_ptr_to_largest_integral_type(data));
}

static const void *pointer(LargestIntegralType value) { return (const void *)(uintptr_t)value; }

static int is_anything(const LargestIntegralType value, const LargestIntegralType data) {
  (void)value;
  (void)data;
  return 1;
}
static int is_value(const LargestIntegralType value, const LargestIntegralType data) {
  return d1_test_values_equal(value, data);
}
static int is_not_value(const LargestIntegralType value, const LargestIntegralType data) {
  return d1_test_values_differ(value, data);
}
static int is_string(const LargestIntegralType value, const LargestIntegralType data) {
  return d1_test_strings_equal(pointer(value), pointer(data));
}
static int is_not_string(const LargestIntegralType value, const LargestIntegralType data) {
  return d1_test_strings_differ(pointer(value), pointer(data));
}
static int is_within(const LargestIntegralType value, const LargestIntegralType data) {
  const struct range *range = pointer(data);
  return d1_test_is_within(value, range->least, range->most);
}
static int is_outside(const LargestIntegralType value, const LargestIntegralType data) {
  const struct range *range = pointer(data);
  return d1_test_is_outside(value, range->least, range->most);
}
static int is_in_set(const LargestIntegralType value, const LargestIntegralType data) {
  const struct set *set = pointer(data);
  return d1_test_is_in_set(value, set->values, set->count, true);
}
static int is_not_in_set(const LargestIntegralType value, const LargestIntegralType data) {
  const struct set *set = pointer(data);
  return d1_test_is_in_set(value, set->values, set->count, false);
}
static int is_memory(const LargestIntegralType value, const LargestIntegralType data) {
  const struct bytes *bytes = pointer(data);
  return d1_test_bytes_equal(pointer(value), bytes->values, bytes->count);
}
static int is_not_memory(const LargestIntegralType value, const LargestIntegralType data) {
  const struct bytes *bytes = pointer(data);
  return d1_test_bytes_differ(pointer(value), bytes->values, bytes->count);
}

void _expect_check(const char *const function, const char *const parameter, const char *const file,
                   const int line, const CheckParameterValue check_function,
                   const LargestIntegralType check_data, CheckParameterEvent *const event,
                   const int count) {
  /* Nothing of an event that is passed in is needed: all it holds comes by itself too. */
  d1_test_port_release(event);
  expect_plain(at(function, parameter, file, line, count), check_function, check_data);
}

void _expect_value(const char *const function, const char *const parameter, const char *const file,
                   const int line, const LargestIntegralType value, const int count) {
  expect_plain(at(function, parameter, file, line, count), is_value, value);
}

void _expect_not_value(const char *const function, const char *const parameter,
                       const char *const file, const int line, const LargestIntegralType value,
                       const int count) {
  expect_plain(at(function, parameter, file, line, count), is_not_value, value);
}

void _expect_any(const char *const function, const char *const parameter, const char *const file,
                 const int line, const int count) {
  expect_plain(at(function, parameter, file, line, count), is_anything, 0);
}

static void expect_string_like(struct place place, CheckParameterValue check, const char *string) {
  if (string == NULL) {
    d1_test_note("a null pointer is no string to expect\n");
    d1_test_fail_at(place.file, place.line);
  }
  expect_plain(place, check, cast_ptr_to_largest_integral_type(string));
}

void _expect_string(const char *const function, const char *const parameter,
                    const char *const file, const int line, const char *string, const int count) {
  expect_string_like(at(function, parameter, file, line, count), is_string, string);
}

void _expect_not_string(const char *const function, const char *const parameter,
                        const char *const file, const int line, const char *string,
                        const int count) {
  expect_string_like(at(function, parameter, file, line, count), is_not_string, string);
}

static void expect_range(struct place place, CheckParameterValue check, LargestIntegralType least,
                         LargestIntegralType most) {
  const struct range range = {least, most};
  expect_with(place, check, sizeof range, &range, 0, NULL);
}

void _expect_in_range(const char *const function, const char *const parameter,
                      const char *const file, const int line, const LargestIntegralType minimum,
                      const LargestIntegralType maximum, const int count) {
  expect_range(at(function, parameter, file, line, count), is_within, minimum, maximum);
}

void _expect_not_in_range(const char *const function, const char *const parameter,
                          const char *const file, const int line,
                          const LargestIntegralType minimum, const LargestIntegralType maximum,
                          const int count) {
  expect_range(at(function, parameter, file, line, count), is_outside, minimum, maximum);
}

static void expect_set(struct place place, CheckParameterValue check,
                       const LargestIntegralType values[], size_t number_of_values) {
  const struct set head = {number_of_values};
  expect_with(place, check, sizeof head, &head, number_of_values * sizeof *values, values);
}

void _expect_in_set(const char *const function, const char *const parameter,
                    const char *const file, const int line, const LargestIntegralType values[],
                    const size_t number_of_values, const int count) {
  expect_set(at(function, parameter, file, line, count), is_in_set, values, number_of_values);
}

void _expect_not_in_set(const char *const function, const char *const parameter,
                        const char *const file, const int line, const LargestIntegralType values[],
                        const size_t number_of_values, const int count) {
  expect_set(at(function, parameter, file, line, count), is_not_in_set, values, number_of_values);
}

static void expect_bytes(struct place place, CheckParameterValue check, const void *memory,
                         size_t size) {
  if (memory == NULL || size == 0) {
    d1_test_note("%zu bytes at %p are no memory to expect\n", size, memory);
    d1_test_fail_at(place.file, place.line);
  }
  const struct bytes head = {size};
  expect_with(place, check, offsetof(struct bytes, values), &head, size, memory);
}

void _expect_memory(const char *const function, const char *const parameter,
                    const char *const file, const int line, const void *const memory,
                    const size_t size, const int count) {
  expect_bytes(at(function, parameter, file, line, count), is_memory, memory, size);
}

void _expect_not_memory(const char *const function, const char *const parameter,
                        const char *const file, const int line, const void *const memory,
                        const size_t size, const int count) {
  expect_bytes(at(function, parameter, file, line, count), is_not_memory, memory, size);
}

void _check_expected(const char *const function_name, const char *const parameter_name,
                     const char *file, const int line, const LargestIntegralType value) {
  struct d1_test_queue *queue = d1_test_queue_of(&queues, function_name, parameter_name);
  struct d1_test_item *item = queue->first;
  if (item == NULL) {
    d1_test_note_at(file, line, "nothing is expected of parameter %s of %s()\n", parameter_name,
                    function_name);
    if (queue->last_file != NULL) {
      d1_test_note_at(queue->last_file, queue->last_line, "this was expected before\n");
    }
    d1_test_fail_at(file, line);
  }
  queue->last_file = item->file;
  queue->last_line = item->line;
  const bool right = item->check(value, item->value) != 0;
  if (!right) {
    d1_test_note_at(file, line, "parameter %s of %s() is not as expected\n", parameter_name,
                    function_name);
    d1_test_note_at(item->file, item->line, "expected since here\n");
  }
  if (d1_test_use_up(&queue->first)) d1_test_port_release(item);
  if (!right) d1_test_fail_at(file, line);
}

bool d1_test_parameters_left(void) {
  bool left = false;
  for (struct d1_test_queue *queue = queues; queue != NULL; queue = queue->next) {
    if (!d1_test_items_left(&queue->first)) continue;
    left = true;
    d1_test_note("parameter %s of %s() was to be checked so, and was not\n", queue->parameter,
                 queue->function);
  }
  return left;
}

void d1_test_drop_parameters(void) { d1_test_drop_queues(&queues); }
