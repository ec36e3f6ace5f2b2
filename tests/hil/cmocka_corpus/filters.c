/* SPDX-License-Identifier: Apache-2.0
 * Filters that a test file sets itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void alpha(void **state) { (void)state; }
static void alphabet(void **state) {
  (void)state;
  fail();
}
static void beta(void **state) { (void)state; }
static void gamma_1(void **state) { (void)state; }
static void gamma_22(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alpha),   cmocka_unit_test(alphabet), cmocka_unit_test(beta),
      cmocka_unit_test(gamma_1), cmocka_unit_test(gamma_22),
  };
  int result = 0;
  cmocka_set_test_filter("alpha*");
  result += cmocka_run_group_tests_name("by a star", tests, NULL, NULL);
  cmocka_set_test_filter("gamma_?");
  result += cmocka_run_group_tests_name("by a question mark", tests, NULL, NULL);
  cmocka_set_test_filter("*a*a*");
  result += cmocka_run_group_tests_name("by several stars", tests, NULL, NULL);
  cmocka_set_test_filter("beta");
  result += cmocka_run_group_tests_name("by a name", tests, NULL, NULL);
  cmocka_set_test_filter(NULL);
  cmocka_set_skip_filter("*2");
  result += cmocka_run_group_tests_name("all but some", tests, NULL, NULL);
  cmocka_set_test_filter("gamma*");
  result += cmocka_run_group_tests_name("some but some", tests, NULL, NULL);
  cmocka_set_test_filter("nothing");
  result += cmocka_run_group_tests_name("none", tests, NULL, NULL);
  cmocka_set_test_filter(NULL);
  cmocka_set_skip_filter(NULL);
  result += cmocka_run_group_tests_name("all", tests, NULL, NULL);
  return result;
}
