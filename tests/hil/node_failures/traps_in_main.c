/* SPDX-License-Identifier: Apache-2.0
 * A main() that traps before its group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_never_reached(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(is_never_reached)};
  int *volatile nowhere = NULL;
  *nowhere = 1;
  return cmocka_run_group_tests_name("Behind", tests, NULL, NULL);
}
