/* SPDX-License-Identifier: Apache-2.0
 * The order of calls: expect_function_call() and function_called(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void first(void) { function_called(); }
static void second(void) { function_called(); }

static void in_order(void **state) {
  (void)state;
  expect_function_call(first);
  expect_function_call(second);
  first();
  second();
}

static void out_of_order(void **state) {
  (void)state;
  expect_function_call(first);
  expect_function_call(second);
  second();
  first();
}

static void several(void **state) {
  (void)state;
  expect_function_calls(first, 3);
  first();
  first();
  first();
}

static void several_and_one_missing(void **state) {
  (void)state;
  expect_function_calls(first, 3);
  first();
  first();
}

static void several_and_one_too_many(void **state) {
  (void)state;
  expect_function_calls(first, 2);
  first();
  first();
  first();
}

static void not_expected(void **state) {
  (void)state;
  first();
}

static void expected_and_missing(void **state) {
  (void)state;
  expect_function_call(first);
}

static void two_expected_and_missing(void **state) {
  (void)state;
  expect_function_call(first);
  expect_function_call(second);
  first();
}

static void any_number(void **state) {
  (void)state;
  expect_function_call_any(first);
  first();
  first();
}

static void any_number_is_not_none(void **state) {
  (void)state;
  expect_function_call_any(first);
}

static void ignored(void **state) {
  (void)state;
  ignore_function_calls(first);
  first();
  first();
}

static void ignored_and_never_called(void **state) {
  (void)state;
  ignore_function_calls(first);
}

static void ignored_between_others(void **state) {
  (void)state;
  ignore_function_calls(first);
  expect_function_call(second);
  first();
  second();
  first();
}

static void ignored_between_others_twice(void **state) {
  (void)state;
  ignore_function_calls(first);
  expect_function_calls(second, 2);
  first();
  second();
  first();
  second();
}

static void any_number_then_one(void **state) {
  (void)state;
  expect_function_call_any(first);
  expect_function_call(second);
  first();
  first();
  second();
}

static void any_number_skipped(void **state) {
  (void)state;
  expect_function_call_any(first);
  expect_function_call(second);
  second();
}

int main(void) {
  const struct CMUnitTest calls[] = {
      cmocka_unit_test(in_order),
      cmocka_unit_test(out_of_order),
      cmocka_unit_test(several),
      cmocka_unit_test(several_and_one_missing),
      cmocka_unit_test(several_and_one_too_many),
      cmocka_unit_test(not_expected),
      cmocka_unit_test(expected_and_missing),
      cmocka_unit_test(two_expected_and_missing),
      cmocka_unit_test(any_number),
      cmocka_unit_test(any_number_is_not_none),
      cmocka_unit_test(ignored),
      cmocka_unit_test(ignored_and_never_called),
      cmocka_unit_test(ignored_between_others),
      cmocka_unit_test(ignored_between_others_twice),
      cmocka_unit_test(any_number_then_one),
      cmocka_unit_test(any_number_skipped),
  };
  return cmocka_run_group_tests(calls, NULL, NULL);
}
