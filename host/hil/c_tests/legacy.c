/* SPDX-License-Identifier: Apache-2.0
 *
 * run_tests() and run_group_tests(): lists of functions become groups of tests. In a list without
 * a group a test's setup is right in front of it and its teardown right behind it; in a group, all
 * tests have the group's, and its state.
 */
#include "internal.h"

struct legacy {
  UnitTestFunction setup, test, teardown;
  void **state; /* the group's, or its own */
  void *own_state;
};

/* Of the group that runs; they do not nest. */
static UnitTestFunction group_setup, group_teardown;
static void *group_state;

static int set_up(void **state) {
  const struct legacy *legacy = *state;
  legacy->setup(legacy->state);
  return 0;
}

static void test(void **state) {
  const struct legacy *legacy = *state;
  legacy->test(legacy->state);
}

static int tear_down(void **state) {
  const struct legacy *legacy = *state;
  legacy->teardown(legacy->state);
  return 0;
}

/* The session has no state: tests find their records in their own. */
static int set_up_group(void **state) {
  (void)state;
  if (group_setup != NULL) group_setup(&group_state);
  return 0;
}

static int tear_down_group(void **state) {
  (void)state;
  if (group_teardown != NULL) group_teardown(&group_state);
  return 0;
}

/* Returns how many records there are. */
static size_t read_list(const UnitTest *list, size_t count, struct legacy *records) {
  size_t made = 0;
  UnitTestFunction setup = NULL;
  for (size_t i = 0; i < count; ++i) {
    const UnitTestFunction function = list[i].function;
    switch (list[i].function_type) {
      case UNIT_TEST_FUNCTION_TYPE_GROUP_SETUP: group_setup = function; break;
      case UNIT_TEST_FUNCTION_TYPE_GROUP_TEARDOWN: group_teardown = function; break;
      case UNIT_TEST_FUNCTION_TYPE_SETUP: setup = function; break;
      case UNIT_TEST_FUNCTION_TYPE_TEARDOWN:
        if (made != 0) records[made - 1].teardown = function;
        break;
      case UNIT_TEST_FUNCTION_TYPE_TEST: {
        const struct legacy record = {setup, function, NULL, NULL, NULL};
        records[made++] = record;
        setup = NULL;
        break;
      }
    }
  }
  return made;
}

static size_t make_tests(const UnitTest *list, size_t count, bool in_group,
                         struct legacy *records, struct CMUnitTest *tests) {
  group_setup = group_teardown = NULL;
  group_state = NULL;
  const size_t made = read_list(list, count, records);
  size_t next = 0;
  for (size_t i = 0; i < made; ++i) {
    struct legacy *record = &records[i];
    record->state = in_group ? &group_state : &record->own_state;
    while (list[next].function_type != UNIT_TEST_FUNCTION_TYPE_TEST) ++next;
    const struct CMUnitTest made_test = {
        list[next++].name, test, !in_group && record->setup != NULL ? set_up : NULL,
        !in_group && record->teardown != NULL ? tear_down : NULL, record};
    tests[i] = made_test;
  }
  return made;
}

static int run_list(const UnitTest *list, size_t count, bool in_group) {
  struct legacy *records = d1_test_port_allocate((count + 1) * sizeof *records);
  struct CMUnitTest *tests = d1_test_port_allocate((count + 1) * sizeof *tests);
  if (records == NULL || tests == NULL) d1_test_port_give_up();
  const size_t made = make_tests(list, count, in_group, records, tests);
  const int bad = _cmocka_run_group_tests("tests", tests, made, in_group ? set_up_group : NULL,
                                          in_group ? tear_down_group : NULL);
  d1_test_port_release(tests);
  d1_test_port_release(records);
  return bad;
}

int _run_tests(const UnitTest *const tests, const size_t number_of_tests) {
  return run_list(tests, number_of_tests, false);
}

int _run_group_tests(const UnitTest *const tests, const size_t number_of_tests) {
  return run_list(tests, number_of_tests, true);
}

int _run_test(const char *const function_name, const UnitTestFunction function,
              void **const volatile state, const UnitTestFunctionType function_type,
              const void *const heap_check_point) {
  (void)heap_check_point;
  (void)function_type;
  const struct CMUnitTest one[] = {
      {function_name, function, NULL, NULL, state == NULL ? NULL : *state}};
  return _cmocka_run_group_tests(function_name, one, 1, NULL, NULL);
}
