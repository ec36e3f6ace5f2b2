/* SPDX-License-Identifier: Apache-2.0
 * Every assertion, not held: one test each, and nothing after it runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FAILING(name, ...)                               \
  static void name(void **state) {                       \
    (void)state;                                         \
    __VA_ARGS__;                                         \
    print_message("%s went on\n", #name);               \
    fail_msg("%s", "the assertion above did not fail");  \
  }

static int one, two;
static const uint8_t bytes[] = {1, 2, 3, 4}, others[] = {1, 9, 3, 8};
static const LargestIntegralType primes[] = {2, 3, 5, 7};

FAILING(true_of_zero, assert_true(one))
FAILING(false_of_one, assert_false(1))
FAILING(false_of_wide, assert_false(1ULL << 40))
FAILING(non_null, assert_non_null(NULL))
FAILING(null, assert_null(&one))
FAILING(int_equal, assert_int_equal(3, 4))
FAILING(int_equal_negative, assert_int_equal(-1, 1))
FAILING(int_equal_widths, assert_int_equal((uint32_t)-1, -1))
FAILING(int_not_equal, assert_int_not_equal(3, 3))
FAILING(ptr_equal, assert_ptr_equal(&one, &two))
FAILING(ptr_not_equal, assert_ptr_not_equal(&one, &one))
FAILING(float_equal, assert_float_equal(1.0f, 1.5f, 0.25f))
FAILING(float_not_equal, assert_float_not_equal(1.0f, 1.1f, 0.2f))
FAILING(string_equal, assert_string_equal("opend1", "opend2"))
FAILING(string_equal_prefix, assert_string_equal("opend", "opend1"))
FAILING(string_not_equal, assert_string_not_equal("same", "same"))
FAILING(memory_equal, assert_memory_equal(bytes, others, 4))
FAILING(memory_not_equal, assert_memory_not_equal(bytes, bytes, 4))
FAILING(memory_not_equal_of_nothing, assert_memory_not_equal(bytes, others, 0))
FAILING(in_range_below, assert_in_range(1, 2, 4))
FAILING(in_range_above, assert_in_range(5, 2, 4))
FAILING(in_range_negative, assert_in_range(-3, -4, 2))
FAILING(not_in_range_lower_end, assert_not_in_range(2, 2, 4))
FAILING(not_in_range_upper_end, assert_not_in_range(4, 2, 4))
FAILING(in_set, assert_in_set(4, primes, 4))
FAILING(not_in_set, assert_not_in_set(5, primes, 4))
FAILING(return_code, assert_return_code(-1, ENOENT))
FAILING(return_code_of_short, assert_return_code((short)-1, EINVAL))
FAILING(return_code_without_error, assert_return_code(-5, 0))
FAILING(return_code_of_long, assert_return_code(-5L, ENOENT))
FAILING(failing, fail())
FAILING(failing_with_message, fail_msg("%d is %s", 42, "the answer"))
FAILING(failing_with_plain_message, fail_msg("plain"))

static void after_all_of_them(void **state) {
  (void)state;
  assert_true(1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(true_of_zero),
      cmocka_unit_test(false_of_one),
      cmocka_unit_test(false_of_wide),
      cmocka_unit_test(non_null),
      cmocka_unit_test(null),
      cmocka_unit_test(int_equal),
      cmocka_unit_test(int_equal_negative),
      cmocka_unit_test(int_equal_widths),
      cmocka_unit_test(int_not_equal),
      cmocka_unit_test(ptr_equal),
      cmocka_unit_test(ptr_not_equal),
      cmocka_unit_test(float_equal),
      cmocka_unit_test(float_not_equal),
      cmocka_unit_test(string_equal),
      cmocka_unit_test(string_equal_prefix),
      cmocka_unit_test(string_not_equal),
      cmocka_unit_test(memory_equal),
      cmocka_unit_test(memory_not_equal),
      cmocka_unit_test(memory_not_equal_of_nothing),
      cmocka_unit_test(in_range_below),
      cmocka_unit_test(in_range_above),
      cmocka_unit_test(in_range_negative),
      cmocka_unit_test(not_in_range_lower_end),
      cmocka_unit_test(not_in_range_upper_end),
      cmocka_unit_test(in_set),
      cmocka_unit_test(not_in_set),
      cmocka_unit_test(return_code),
      cmocka_unit_test(return_code_of_short),
      cmocka_unit_test(return_code_without_error),
      cmocka_unit_test(return_code_of_long),
      cmocka_unit_test(failing),
      cmocka_unit_test(failing_with_message),
      cmocka_unit_test(failing_with_plain_message),
      cmocka_unit_test(after_all_of_them),
  };
  return cmocka_run_group_tests_name("asserts that do not hold", tests, NULL, NULL);
}
