/* SPDX-License-Identifier: Apache-2.0
 * skip() where nothing can be skipped. No test fails here: libcmocka would take the next one that
 * does for skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int skips(void **state) {
  (void)state;
  skip();
  return 0;
}
static void passes(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest in_tests[] = {
      cmocka_unit_test(passes),
      cmocka_unit_test_setup(passes, skips),
      cmocka_unit_test_teardown(passes, skips),
      cmocka_unit_test(passes),
  };
  const struct CMUnitTest any[] = {cmocka_unit_test(passes)};
  int result = cmocka_run_group_tests(in_tests, NULL, NULL);
  result += cmocka_run_group_tests_name("skip in the setup of a group", any, skips, NULL);
  result += cmocka_run_group_tests_name("skip in the teardown of a group", any, NULL, skips);
  return result;
}
