/* SPDX-License-Identifier: Apache-2.0
 * Every assertion, held. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void truth(void **state) {
  (void)state;
  assert_true(1);
  assert_true(-1);
  assert_false(0);
  assert_false(1 == 2);
  assert_non_null(state);
  assert_null(NULL);
}

static void integers(void **state) {
  (void)state;
  assert_int_equal(3, 3);
  assert_int_equal(-1, -1);
  assert_int_equal(UINT64_MAX, UINT64_MAX);
  assert_int_equal((uint8_t)200, 200);
  assert_int_not_equal(3, 4);
  assert_int_not_equal(1ULL << 32, 0);
}

static void pointers(void **state) {
  int one = 0, two = 0;
  (void)state;
  assert_ptr_equal(&one, &one);
  assert_ptr_not_equal(&one, &two);
}

static void floats(void **state) {
  (void)state;
  assert_float_equal(1.0f, 1.0f, 0.0f);
  assert_float_equal(1.0f, 1.1f, 0.2f);
  assert_float_not_equal(1.0f, 1.1f, 0.05f);
}

static void strings(void **state) {
  char copy[] = "opend1";
  (void)state;
  assert_string_equal(copy, "opend1");
  assert_string_equal("", "");
  assert_string_not_equal("opend1", "opend2");
}

static void memories(void **state) {
  const uint8_t a[] = {1, 2, 3}, b[] = {1, 2, 4};
  (void)state;
  assert_memory_equal(a, b, 2);
  assert_memory_equal(a, b, 0);
  assert_memory_not_equal(a, b, sizeof a);
}

static void ranges(void **state) {
  (void)state;
  assert_in_range(5, 5, 7);
  assert_in_range(7, 5, 7);
  assert_not_in_range(4, 5, 7);
  assert_not_in_range(8, 5, 7);
}

static void sets(void **state) {
  LargestIntegralType values[] = {2, 3, 5, 7};
  (void)state;
  assert_in_set(7, values, 4);
  assert_not_in_set(7, values, 3);
}

static void return_codes(void **state) {
  (void)state;
  assert_return_code(0, 0);
  assert_return_code(17, EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(truth),    cmocka_unit_test(integers), cmocka_unit_test(pointers),
      cmocka_unit_test(floats),   cmocka_unit_test(strings),  cmocka_unit_test(memories),
      cmocka_unit_test(ranges),   cmocka_unit_test(sets),     cmocka_unit_test(return_codes),
  };
  return cmocka_run_group_tests_name("asserts that hold", tests, NULL, NULL);
}
