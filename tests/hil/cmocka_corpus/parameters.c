/* SPDX-License-Identifier: Apache-2.0
 * expect_*() and check_expected(): each kind held, not held, forgotten and asked too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void take(uintptr_t value) { check_expected(value); }
static void take_text(const char *text) { check_expected_ptr(text); }
static void take_two(int first, int second) {
  check_expected(first);
  check_expected(second);
}

static const LargestIntegralType primes[] = {2, 3, 5};
static const uint8_t abc[] = {'a', 'b', 'c'}, abd[] = {'a', 'b', 'd'};

#define CASE(name, ...)          \
  static void name(void **state) { \
    (void)state;                 \
    __VA_ARGS__;                 \
  }

CASE(value, expect_value(take, value, 4); take(4))
CASE(value_wrong, expect_value(take, value, 4); take(5))
CASE(not_value, expect_not_value(take, value, 4); take(5))
CASE(not_value_wrong, expect_not_value(take, value, 4); take(4))
CASE(in_set, expect_in_set(take, value, primes); take(5))
CASE(in_set_wrong, expect_in_set(take, value, primes); take(4))
CASE(not_in_set, expect_not_in_set(take, value, primes); take(4))
CASE(not_in_set_wrong, expect_not_in_set(take, value, primes); take(3))
CASE(in_range, expect_in_range(take, value, 2, 4); take(4))
CASE(in_range_wrong, expect_in_range(take, value, 2, 4); take(5))
CASE(not_in_range, expect_not_in_range(take, value, 2, 4); take(1))
CASE(not_in_range_wrong, expect_not_in_range(take, value, 2, 4); take(2))
CASE(string, expect_string(take_text, text, "abc"); take_text("abc"))
CASE(string_wrong, expect_string(take_text, text, "abc"); take_text("abd"))
CASE(not_string, expect_not_string(take_text, text, "abc"); take_text("abd"))
CASE(not_string_wrong, expect_not_string(take_text, text, "abc"); take_text("abc"))
CASE(memory, expect_memory(take_text, text, abc, 3); take_text("abc"))
CASE(memory_wrong, expect_memory(take_text, text, abc, 3); take_text((const char *)abd))
CASE(not_memory, expect_not_memory(take_text, text, abc, 3); take_text((const char *)abd))
CASE(not_memory_wrong, expect_not_memory(take_text, text, abc, 3); take_text("abc"))
CASE(any, expect_any(take, value); take(77))
CASE(any_count, expect_any_count(take, value, 2); take(1); take(2))
CASE(any_always, expect_any_always(take, value); take(1); take(2); take(3))
CASE(any_always_without_call, expect_any_always(take, value))
CASE(any_missing, expect_any(take, value))
CASE(any_count_missing, expect_any_count(take, value, 2); take(1))
CASE(value_count, expect_value_count(take, value, 6, 2); take(6); take(6))
CASE(value_count_wrong, expect_value_count(take, value, 6, 2); take(6); take(7))
CASE(value_count_too_many, expect_value_count(take, value, 6, 2); take(6); take(6); take(6))
CASE(value_count_always, expect_value_count(take, value, 6, -1); take(6); take(6))
CASE(value_count_maybe, expect_value_count(take, value, 6, -2))
CASE(not_value_count, expect_not_value_count(take, value, 6, 2); take(5); take(7))
CASE(in_set_count, expect_in_set_count(take, value, primes, 2); take(2); take(3))
CASE(not_in_set_count, expect_not_in_set_count(take, value, primes, 2); take(1); take(4))
CASE(in_range_count, expect_in_range_count(take, value, 1, 2, 2); take(1); take(2))
CASE(not_in_range_count, expect_not_in_range_count(take, value, 1, 2, 2); take(0); take(3))
CASE(string_count, expect_string_count(take_text, text, "a", 2); take_text("a"); take_text("a"))
CASE(not_string_count, expect_not_string_count(take_text, text, "a", 1); take_text("b"))
CASE(memory_count, expect_memory_count(take_text, text, abc, 2, 1); take_text("ab"))
CASE(not_memory_count, expect_not_memory_count(take_text, text, abc, 2, 1); take_text("xy"))
CASE(nothing_expected, take(1))
CASE(asked_once_too_often, expect_value(take, value, 1); take(1); take(1))
CASE(forgotten, expect_value(take, value, 1))
CASE(two_in_order, expect_value(take_two, first, 1); expect_value(take_two, second, 2);
     take_two(1, 2))
CASE(two_with_the_second_wrong, expect_value(take_two, first, 1);
     expect_value(take_two, second, 2); take_two(1, 3))
CASE(two_with_the_second_unexpected, expect_value(take_two, first, 1); take_two(1, 3))
CASE(two_with_one_forgotten, expect_value(take, value, 1); expect_value(take_two, first, 1);
     take(1))
CASE(two_in_a_row, expect_value(take, value, 1); expect_value(take, value, 2); take(1); take(2))
CASE(two_in_a_row_swapped, expect_value(take, value, 1); expect_value(take, value, 2); take(2))

static void sets_are_copied(void **state) {
  LargestIntegralType values[] = {1, 2};
  (void)state;
  expect_in_set(take, value, values);
  values[0] = 3;
  take(1);
}

static void memory_is_copied(void **state) {
  char copy[] = "ab";
  (void)state;
  expect_memory(take_text, text, copy, 2);
  copy[0] = 'x';
  take_text("ab");
}

static int is_even(const LargestIntegralType value, const LargestIntegralType data) {
  return value % 2 == 0 && data == 11;
}

CASE(own_check, expect_check(take, value, is_even, 11); take(4))
CASE(own_check_wrong, expect_check(take, value, is_even, 11); take(5))
CASE(own_check_forgotten, expect_check(take, value, is_even, 11))

int main(void) {
  const struct CMUnitTest parameters[] = {
      cmocka_unit_test(value),
      cmocka_unit_test(value_wrong),
      cmocka_unit_test(not_value),
      cmocka_unit_test(not_value_wrong),
      cmocka_unit_test(in_set),
      cmocka_unit_test(in_set_wrong),
      cmocka_unit_test(not_in_set),
      cmocka_unit_test(not_in_set_wrong),
      cmocka_unit_test(in_range),
      cmocka_unit_test(in_range_wrong),
      cmocka_unit_test(not_in_range),
      cmocka_unit_test(not_in_range_wrong),
      cmocka_unit_test(string),
      cmocka_unit_test(string_wrong),
      cmocka_unit_test(not_string),
      cmocka_unit_test(not_string_wrong),
      cmocka_unit_test(memory),
      cmocka_unit_test(memory_wrong),
      cmocka_unit_test(not_memory),
      cmocka_unit_test(not_memory_wrong),
      cmocka_unit_test(any),
      cmocka_unit_test(any_count),
      cmocka_unit_test(any_always),
      cmocka_unit_test(any_always_without_call),
      cmocka_unit_test(any_missing),
      cmocka_unit_test(any_count_missing),
      cmocka_unit_test(value_count),
      cmocka_unit_test(value_count_wrong),
      cmocka_unit_test(value_count_too_many),
      cmocka_unit_test(value_count_always),
      cmocka_unit_test(value_count_maybe),
      cmocka_unit_test(not_value_count),
      cmocka_unit_test(in_set_count),
      cmocka_unit_test(not_in_set_count),
      cmocka_unit_test(in_range_count),
      cmocka_unit_test(not_in_range_count),
      cmocka_unit_test(string_count),
      cmocka_unit_test(not_string_count),
      cmocka_unit_test(memory_count),
      cmocka_unit_test(not_memory_count),
      cmocka_unit_test(nothing_expected),
      cmocka_unit_test(asked_once_too_often),
      cmocka_unit_test(forgotten),
      cmocka_unit_test(two_in_order),
      cmocka_unit_test(two_with_the_second_wrong),
      cmocka_unit_test(two_with_the_second_unexpected),
      cmocka_unit_test(two_with_one_forgotten),
      cmocka_unit_test(two_in_a_row),
      cmocka_unit_test(two_in_a_row_swapped),
      cmocka_unit_test(sets_are_copied),
      cmocka_unit_test(memory_is_copied),
      cmocka_unit_test(own_check),
      cmocka_unit_test(own_check_wrong),
      cmocka_unit_test(own_check_forgotten),
  };
  return cmocka_run_group_tests(parameters, NULL, NULL);
}
