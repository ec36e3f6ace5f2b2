/* SPDX-License-Identifier: Apache-2.0
 * Where an assertion just holds, or just does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <limits.h>
#include <math.h>

#define CASE(name, ...)            \
  static void name(void **state) { \
    (void)state;                   \
    __VA_ARGS__;                   \
  }

static void take(uintptr_t value) { check_expected(value); }
static void take_text(const char *text) { check_expected_ptr(text); }
static int value(void) { return mock_type(int); }
static void called(void) { function_called(); }
static const LargestIntegralType primes[] = {2, 3, 5};

CASE(return_code_int_max, assert_return_code(INT_MAX, 0))
CASE(return_code_int_max_less_1, assert_return_code(INT_MAX - 1, 0))
CASE(return_code_unsigned, assert_return_code((uint32_t)-1, 0))
CASE(return_code_int8, assert_return_code((int8_t)-1, 0))
CASE(return_code_uint8_200, assert_return_code((uint8_t)200, 0))
CASE(return_code_uint8_255, assert_return_code((uint8_t)255, 0))
CASE(return_code_int16_max, assert_return_code((int16_t)32767, 0))
CASE(return_code_uint16, assert_return_code((uint16_t)40000, 0))
CASE(return_code_int64_max, assert_return_code(INT64_MAX, 0))
CASE(return_code_int64, assert_return_code(1LL << 40, 0))
CASE(float_at_epsilon, assert_float_equal(1.0f, 1.25f, 0.25f))
CASE(float_not_at_epsilon, assert_float_not_equal(1.0f, 1.25f, 0.25f))
CASE(float_relative, assert_float_equal(1000.0f, 1001.0f, 0.01f))
CASE(float_not_relative, assert_float_not_equal(1000.0f, 1001.0f, 0.01f))
CASE(float_relative_of_small, assert_float_equal(0.001f, 0.002f, 0.6f))
CASE(float_far, assert_float_equal(1000.0f, 1100.0f, 0.01f))
CASE(float_negative_epsilon, assert_float_equal(1.0f, 1.0f, -0.5f))
CASE(float_opposite_signs, assert_float_equal(-1.0f, 1.0f, 0.5f))
CASE(float_nan, assert_float_equal(NAN, NAN, 1.0f))
CASE(float_not_nan, assert_float_not_equal(NAN, 1.0f, 1.0f))
CASE(float_infinity, assert_float_equal(INFINITY, INFINITY, 1.0f))
CASE(float_not_infinity, assert_float_not_equal(INFINITY, 1.0f, 1.0f))
CASE(string_null, assert_string_equal(NULL, "a"))
CASE(memory_of_nothing_at_null, assert_memory_equal(&primes, &primes, 0))
CASE(range_reversed, assert_in_range(3, 4, 2))
CASE(not_range_reversed, assert_not_in_range(3, 4, 2))
CASE(range_of_all, assert_in_range(UINT64_MAX, 0, UINT64_MAX))
CASE(set_of_nothing, assert_in_set(2, primes, 0))
CASE(not_set_of_nothing, assert_not_in_set(2, primes, 0))
CASE(int_of_64_bits, assert_int_equal(1ULL << 33, 0))
CASE(true_of_a_high_bit, assert_true(1ULL << 63))
CASE(return_count_of_nothing, will_return_count(value, 1, 0))
CASE(return_count_of_nothing_called, will_return_count(value, 1, 0); value())
CASE(return_count_strange, will_return_count(value, 1, -3); value())
CASE(expect_count_of_nothing, expect_value_count(take, value, 1, 0))
CASE(expect_count_of_nothing_called, expect_value_count(take, value, 1, 0); take(1))
CASE(expect_count_strange, expect_value_count(take, value, 1, -3); take(1))
CASE(calls_of_nothing, expect_function_calls(called, 0))
CASE(calls_of_nothing_called, expect_function_calls(called, 0); called())
CASE(expect_range_reversed, expect_in_range(take, value, 4, 2); take(3))
CASE(expect_not_range_reversed, expect_not_in_range(take, value, 4, 2); take(3))
CASE(expect_memory_of_nothing, expect_memory(take_text, text, "ab", 0); take_text("cd"))
CASE(expect_memory_at_null, expect_memory(take_text, text, NULL, 2); take_text("cd"))
CASE(expect_string_null, expect_string(take_text, text, NULL); take_text("cd"))
CASE(expect_string_given_null, expect_string(take_text, text, "ab"); take_text(NULL))
CASE(always_then_another_unused, will_return_always(value, 1); will_return_maybe(value, 2); value())
CASE(maybe_then_one, will_return_maybe(value, 1); will_return(value, 2); value())
CASE(left_over_and_leak, will_return(value, 1); assert_non_null(test_malloc(3)))
CASE(overrun_that_is_leaked, ((volatile char *)test_malloc(3))[3] = 1)
CASE(realloc_of_zero_from_nothing, test_free(test_realloc(NULL, 0)))
CASE(malloc_of_nothing, test_free(test_malloc(0)))
CASE(calloc_of_nothing, test_free(test_calloc(0, 4)))

static int tear_down_leaks(void **state) {
  (void)state;
  return test_malloc(2) == NULL;
}
static int set_up(void **state) {
  (void)state;
  return 0;
}
static int set_up_positive(void **state) {
  (void)state;
  return 5;
}
CASE(leaking_tear_down_alone, (void)0)
CASE(leaking_tear_down_and_set_up, (void)0)
CASE(positive_set_up, (void)0)
CASE(positive_tear_down, (void)0)

int main(void) {
  const struct CMUnitTest edges[] = {
      cmocka_unit_test(return_code_int_max),
      cmocka_unit_test(return_code_int_max_less_1),
      cmocka_unit_test(return_code_unsigned),
      cmocka_unit_test(return_code_int8),
      cmocka_unit_test(return_code_uint8_200),
      cmocka_unit_test(return_code_uint8_255),
      cmocka_unit_test(return_code_int16_max),
      cmocka_unit_test(return_code_uint16),
      cmocka_unit_test(return_code_int64_max),
      cmocka_unit_test(return_code_int64),
      cmocka_unit_test(float_at_epsilon),
      cmocka_unit_test(float_not_at_epsilon),
      cmocka_unit_test(float_relative),
      cmocka_unit_test(float_not_relative),
      cmocka_unit_test(float_relative_of_small),
      cmocka_unit_test(float_far),
      cmocka_unit_test(float_negative_epsilon),
      cmocka_unit_test(float_opposite_signs),
      cmocka_unit_test(float_nan),
      cmocka_unit_test(float_not_nan),
      cmocka_unit_test(float_infinity),
      cmocka_unit_test(float_not_infinity),
      cmocka_unit_test(string_null),
      cmocka_unit_test(memory_of_nothing_at_null),
      cmocka_unit_test(range_reversed),
      cmocka_unit_test(not_range_reversed),
      cmocka_unit_test(range_of_all),
      cmocka_unit_test(set_of_nothing),
      cmocka_unit_test(not_set_of_nothing),
      cmocka_unit_test(int_of_64_bits),
      cmocka_unit_test(true_of_a_high_bit),
      cmocka_unit_test(return_count_of_nothing),
      cmocka_unit_test(return_count_of_nothing_called),
      cmocka_unit_test(return_count_strange),
      cmocka_unit_test(expect_count_of_nothing),
      cmocka_unit_test(expect_count_of_nothing_called),
      cmocka_unit_test(expect_count_strange),
      cmocka_unit_test(calls_of_nothing),
      cmocka_unit_test(calls_of_nothing_called),
      cmocka_unit_test(expect_range_reversed),
      cmocka_unit_test(expect_not_range_reversed),
      cmocka_unit_test(expect_memory_of_nothing),
      cmocka_unit_test(expect_memory_at_null),
      cmocka_unit_test(expect_string_null),
      cmocka_unit_test(expect_string_given_null),
      cmocka_unit_test(always_then_another_unused),
      cmocka_unit_test(maybe_then_one),
      cmocka_unit_test(left_over_and_leak),
      cmocka_unit_test(overrun_that_is_leaked),
      cmocka_unit_test(realloc_of_zero_from_nothing),
      cmocka_unit_test(malloc_of_nothing),
      cmocka_unit_test(calloc_of_nothing),
      cmocka_unit_test_teardown(leaking_tear_down_alone, tear_down_leaks),
      cmocka_unit_test_setup_teardown(leaking_tear_down_and_set_up, set_up, tear_down_leaks),
      cmocka_unit_test_setup(positive_set_up, set_up_positive),
      cmocka_unit_test_teardown(positive_tear_down, set_up_positive),
  };
  return cmocka_run_group_tests(edges, NULL, NULL);
}
