/* SPDX-License-Identifier: Apache-2.0
 * Groups and tests of one name, in this file and in another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void same(void **state) { (void)state; }
static void same_that_fails(void **state) {
  (void)state;
  fail();
}

int main(void) {
  const struct CMUnitTest first[] = {{"same", same, NULL, NULL, NULL},
                                     {"same", same_that_fails, NULL, NULL, NULL}};
  const struct CMUnitTest second[] = {{"same", same_that_fails, NULL, NULL, NULL},
                                      {"same", same, NULL, NULL, NULL}};
  const int failed = cmocka_run_group_tests_name("Same", first, NULL, NULL);
  return failed + cmocka_run_group_tests_name("Same", second, NULL, NULL);
}
