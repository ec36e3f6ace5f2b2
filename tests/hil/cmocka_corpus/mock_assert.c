/* SPDX-License-Identifier: Apache-2.0
 * assert() of the code under test, by mock_assert(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#undef assert
#define assert(expression) \
  mock_assert((expression) != 0, #expression, __FILE__, __LINE__)

static int calls;

static void increment(int *value) {
  assert(value != NULL);
  ++*value;
}
static int increment_and_return(int *value) {
  assert(value);
  return ++*value;
}

static void expected(void **state) {
  (void)state;
  expect_assert_failure(increment(NULL));
  expect_assert_failure(increment_and_return(NULL))
  ++calls;
}
static void went_on(void **state) {
  (void)state;
  assert_int_equal(calls, 1);
}
static void not_expected(void **state) {
  (void)state;
  increment(NULL);
}
static void holds(void **state) {
  int value = 1;
  (void)state;
  increment(&value);
  assert_int_equal(value, 2);
}
static void expected_and_holds(void **state) {
  int value = 1;
  (void)state;
  expect_assert_failure(increment(&value));
}
static void expected_then_not_expected(void **state) {
  (void)state;
  expect_assert_failure(increment(NULL));
  increment(NULL);
}
static void failing_inside(int value) { assert_int_equal(value, 1); }
/* The last one: libcmocka then still expects an assertion, in whatever test comes next. */
static void another_failure_inside(void **state) {
  (void)state;
  expect_assert_failure(failing_inside(2));
}

int main(void) {
  const struct CMUnitTest mock_asserts[] = {
      cmocka_unit_test(expected),
      cmocka_unit_test(went_on),
      cmocka_unit_test(not_expected),
      cmocka_unit_test(holds),
      cmocka_unit_test(expected_and_holds),
      cmocka_unit_test(expected_then_not_expected),
      cmocka_unit_test(another_failure_inside),
  };
  return cmocka_run_group_tests(mock_asserts, NULL, NULL);
}
