/* SPDX-License-Identifier: Apache-2.0
 * What ends a program on any machine fails its test, or the one whose fixture it was; those behind
 * it run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static volatile uintptr_t nowhere = 8;

static void store_to_nowhere(void **state) {
  (void)state;
  *(volatile int *)nowhere = 1;
}
static void load_from_nowhere(void **state) {
  (void)state;
  (void)*(volatile int *)nowhere;
}
static void unreachable_code(void **state) {
  (void)state;
  __builtin_trap();
}
static void passes(void **state) { (void)state; }
static void fails(void **state) {
  (void)state;
  fail_msg("not by a trap");
}
static void skips(void **state) {
  (void)state;
  skip();
}
static int trapping_fixture(void **state) {
  (void)state;
  *(volatile int *)nowhere = 2;
  return 0;
}

int main(void) {
  const struct CMUnitTest traps[] = {
      cmocka_unit_test(store_to_nowhere),
      cmocka_unit_test(passes),
      cmocka_unit_test(load_from_nowhere),
      cmocka_unit_test(unreachable_code),
      cmocka_unit_test(fails),
      cmocka_unit_test(skips),
      cmocka_unit_test_setup(passes, trapping_fixture),
      cmocka_unit_test_teardown(passes, trapping_fixture),
      cmocka_unit_test(passes),
  };
  const struct CMUnitTest behind[] = {cmocka_unit_test(passes), cmocka_unit_test(fails)};
  int result = cmocka_run_group_tests_name("Traps", traps, NULL, NULL);
  result += cmocka_run_group_tests_name("Behind traps", behind, NULL, NULL);
  return result;
}
