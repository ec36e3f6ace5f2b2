/* SPDX-License-Identifier: Apache-2.0
 * skip(): alone, behind a failure, with things left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int value(void) { return mock_type(int); }
static void passes(void **state) { (void)state; }
static void skipped(void **state) {
  (void)state;
  skip();
}
static void skipped_before_a_failure(void **state) {
  (void)state;
  skip();
  fail();
}
static void skipped_with_a_value_left_over(void **state) {
  (void)state;
  will_return(value, 1);
  skip();
}
static void skipped_with_a_leak(void **state) {
  (void)state;
  assert_non_null(test_malloc(4));
  skip();
}
static void fails_after_all(void **state) {
  (void)state;
  assert_int_equal(1, 2);
}
static int nothing(void **state) {
  (void)state;
  return 0;
}
static void value_is_gone(void **state) {
  (void)state;
  will_return(value, 2);
  assert_int_equal(value(), 2);
}
static int set_up(void **state) {
  *state = test_malloc(3);
  return 0;
}
static int tear_down(void **state) {
  test_free(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest skips[] = {
      cmocka_unit_test(passes),
      cmocka_unit_test(skipped),
      cmocka_unit_test(skipped_before_a_failure),
      cmocka_unit_test(skipped_with_a_value_left_over),
      cmocka_unit_test(value_is_gone),
      cmocka_unit_test(skipped_with_a_leak),
      cmocka_unit_test_setup_teardown(skipped, set_up, tear_down),
      cmocka_unit_test_teardown(skipped_with_a_leak, nothing),
      cmocka_unit_test_setup_teardown(skipped_with_a_leak, nothing, nothing),
      cmocka_unit_test(fails_after_all),
  };
  return cmocka_run_group_tests(skips, NULL, NULL);
}
