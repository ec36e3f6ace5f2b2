/* SPDX-License-Identifier: Apache-2.0
 * More messages than a node's report has room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { TESTS = 60 };

static char letters[4000];
static int set_ups;

static int set_up(void **state) {
  (void)state;
  ++set_ups;
  memset(letters, 'x', sizeof letters - 1);
  return 0;
}
static void fails_at_length(void **state) {
  (void)state;
  fail_msg("%s", letters);
}
static void passes(void **state) {
  (void)state;
  assert_int_equal(set_ups, 1);
}

int main(void) {
  struct CMUnitTest tests[TESTS] = {{NULL, NULL, NULL, NULL, NULL}};
  for (int i = 0; i < TESTS; ++i) {
    tests[i].name = i % 3 == 0 ? "passes" : "fails_at_length";
    tests[i].test_func = i % 3 == 0 ? passes : fails_at_length;
  }
  return cmocka_run_group_tests_name("Much", tests, set_up, NULL);
}
