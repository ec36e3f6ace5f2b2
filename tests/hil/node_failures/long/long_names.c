/* SPDX-License-Identifier: Apache-2.0
 * Tests whose names alone are more than a node's report has room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

enum { TESTS = 700, LETTERS = 250 };

static char names[TESTS][LETTERS];

static void passes(void **state) { (void)state; }

int main(void) {
  static struct CMUnitTest tests[TESTS];
  for (int i = 0; i < TESTS; ++i) {
    for (int k = 0; k < LETTERS - 1; ++k) names[i][k] = 'n';
    names[i][0] = (char)('a' + i / 26 % 26);
    names[i][1] = (char)('a' + i % 26);
    names[i][2] = (char)('a' + i / 676);
    tests[i].name = names[i];
    tests[i].test_func = passes;
  }
  return cmocka_run_group_tests_name("Long", tests, NULL, NULL);
}
