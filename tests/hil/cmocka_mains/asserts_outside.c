/* SPDX-License-Identifier: Apache-2.0
 * An assertion that fails behind the groups, where no test runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void passes(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest before[] = {cmocka_unit_test(passes)};
  const int result = cmocka_run_group_tests_name("Before", before, NULL, NULL);
  assert_int_equal(result, 17);
  return 0;
}
