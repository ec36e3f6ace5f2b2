/* SPDX-License-Identifier: Apache-2.0
 * will_return() and mock() in all their forms: used up, too many, too few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int number(void) { return mock_type(int); }
static int other_number(void) { return (int)mock(); }
static const char *text(void) { return mock_ptr_type(const char *); }

static void values_come_in_order(void **state) {
  (void)state;
  will_return(number, 1);
  will_return(other_number, 10);
  will_return(number, -2);
  assert_int_equal(number(), 1);
  assert_int_equal(number(), -2);
  assert_int_equal(other_number(), 10);
}

static void pointers_come_back(void **state) {
  (void)state;
  will_return(text, "hello");
  assert_string_equal(text(), "hello");
}

static void a_count_is_used_up(void **state) {
  (void)state;
  will_return_count(number, 7, 3);
  for (int i = 0; i < 3; ++i) assert_int_equal(number(), 7);
}

static void always_comes_again(void **state) {
  (void)state;
  will_return_always(number, 5);
  for (int i = 0; i < 10; ++i) assert_int_equal(number(), 5);
}

static void maybe_needs_no_call(void **state) {
  (void)state;
  will_return_maybe(number, 5);
}

static void maybe_comes_again(void **state) {
  (void)state;
  will_return_maybe(number, 6);
  assert_int_equal(number() + number(), 12);
}

static void once_then_always(void **state) {
  (void)state;
  will_return(number, 1);
  will_return_always(number, 2);
  assert_int_equal(number(), 1);
  assert_int_equal(number(), 2);
  assert_int_equal(number(), 2);
}

static void none_given(void **state) {
  (void)state;
  number();
}

static void one_call_too_many(void **state) {
  (void)state;
  will_return(number, 1);
  number();
  number();
}

static void a_count_and_one_more(void **state) {
  (void)state;
  will_return_count(number, 1, 2);
  number();
  number();
  number();
}

static void given_to_another_function(void **state) {
  (void)state;
  will_return(other_number, 1);
  number();
}

static void one_left_over(void **state) {
  (void)state;
  will_return(number, 1);
  will_return(number, 2);
  number();
}

static void two_functions_with_some_left_over(void **state) {
  (void)state;
  will_return(number, 1);
  will_return(other_number, 2);
  will_return(number, 3);
}

static void part_of_a_count_left_over(void **state) {
  (void)state;
  will_return_count(number, 1, 3);
  number();
}

static void always_never_used(void **state) {
  (void)state;
  will_return_always(number, 1);
}

static void always_in_front_of_another(void **state) {
  (void)state;
  will_return_always(number, 1);
  will_return(number, 2);
  number();
  number();
}

static void left_overs_are_not_taken_along(void **state) {
  (void)state;
  will_return(number, 9);
  assert_int_equal(number(), 9);
}

static void left_over_behind_a_failure(void **state) {
  (void)state;
  will_return(number, 1);
  fail();
}

static void clean_after_a_failure(void **state) {
  (void)state;
  will_return(number, 8);
  assert_int_equal(number(), 8);
}

static void wrong_value(void **state) {
  (void)state;
  will_return(number, 3);
  assert_int_equal(number(), 4);
}

int main(void) {
  const struct CMUnitTest return_values[] = {
      cmocka_unit_test(values_come_in_order),
      cmocka_unit_test(pointers_come_back),
      cmocka_unit_test(a_count_is_used_up),
      cmocka_unit_test(always_comes_again),
      cmocka_unit_test(maybe_needs_no_call),
      cmocka_unit_test(maybe_comes_again),
      cmocka_unit_test(once_then_always),
      cmocka_unit_test(none_given),
      cmocka_unit_test(one_call_too_many),
      cmocka_unit_test(a_count_and_one_more),
      cmocka_unit_test(given_to_another_function),
      cmocka_unit_test(one_left_over),
      cmocka_unit_test(two_functions_with_some_left_over),
      cmocka_unit_test(part_of_a_count_left_over),
      cmocka_unit_test(always_never_used),
      cmocka_unit_test(always_in_front_of_another),
      cmocka_unit_test(left_overs_are_not_taken_along),
      cmocka_unit_test(left_over_behind_a_failure),
      cmocka_unit_test(clean_after_a_failure),
      cmocka_unit_test(wrong_value),
  };
  return cmocka_run_group_tests(return_values, NULL, NULL);
}
