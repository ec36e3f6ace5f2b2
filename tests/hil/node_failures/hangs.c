/* SPDX-License-Identifier: Apache-2.0
 * A test that never ends, between two that do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void passes_before(void **state) { (void)state; }
static void never_ends(void **state) {
  (void)state;
  for (volatile unsigned i = 0;; i = i + 1) {
  }
}
static void passes_behind(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(passes_before), cmocka_unit_test(never_ends),
                                     cmocka_unit_test(passes_behind)};
  return cmocka_run_group_tests_name("Hangs", tests, NULL, NULL);
}
