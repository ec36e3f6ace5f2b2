/* SPDX-License-Identifier: Apache-2.0
 * What tests print; and what they find on the stack of main(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>

static void prints_and_passes(void **state) {
  (void)state;
  print_message("a message of %d words\n", 5);
  print_error("not an error: %s\n", "only printed");
  printf("and plain output\n");
}
static void prints_and_fails(void **state) {
  (void)state;
  print_error("first %d\n", 1);
  print_error("second\n");
  fail();
}
static void prints_much(void **state) {
  (void)state;
  for (int i = 0; i < 1000; ++i) print_error("line %d of many\n", i);
  fail_msg("the %s", "last");
}
static void sees_the_stack(void **state) {
  const int *on_stack = *state;
  assert_int_equal(*on_stack, 17);
}
static void changes_the_stack(void **state) { *(int *)*state = 18; }
static void sees_the_change(void **state) { assert_int_equal(*(int *)*state, 18); }

int main(int argc, char **argv) {
  volatile int on_stack = 17;
  void *given = (void *)&on_stack;
  const struct CMUnitTest messages[] = {
      cmocka_unit_test(prints_and_passes),
      cmocka_unit_test(prints_and_fails),
      cmocka_unit_test(prints_much),
      cmocka_unit_test_prestate(sees_the_stack, given),
      cmocka_unit_test_prestate(changes_the_stack, given),
      cmocka_unit_test_prestate(sees_the_change, given),
  };
  if (argc < 1 || argv[0] == NULL) return 1;
  printf("main() prints, too\n");
  return cmocka_run_group_tests(messages, NULL, NULL);
}
