/* SPDX-License-Identifier: Apache-2.0
 * A group that leaves memory: libcmocka ends the program, so there is nothing behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int takes(void **state) {
  *state = test_malloc(4);
  return 0;
}
static void passes(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(passes), cmocka_unit_test(passes)};
  int result = cmocka_run_group_tests_name("before the leak", tests, NULL, NULL);
  result += cmocka_run_group_tests_name("the leak of a group", tests, takes, NULL);
  return result;
}
