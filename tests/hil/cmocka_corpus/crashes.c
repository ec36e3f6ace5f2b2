/* SPDX-License-Identifier: Apache-2.0
 * Tests that end in a signal fail; those after them run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <signal.h>

static volatile int zero;

static void null_pointer(void **state) {
  (void)state;
  *(volatile int *)(uintptr_t)zero = 1;
}
static void division_by_zero(void **state) {
  (void)state;
  raise(SIGFPE);
}
static void illegal_instruction(void **state) {
  (void)state;
  raise(SIGILL);
}
static void bus_error(void **state) {
  (void)state;
  raise(SIGBUS);
}
static void bad_system_call(void **state) {
  (void)state;
  raise(SIGSYS);
}
static void null_pointer_again(void **state) {
  (void)state;
  *(volatile int *)(uintptr_t)zero = 2;
}
static int value(void) { return mock_type(int); }
static void crash_with_things_left_over(void **state) {
  (void)state;
  will_return(value, 1);
  assert_non_null(test_malloc(4));
  *(volatile int *)(uintptr_t)zero = 3;
}
static void passes(void **state) {
  (void)state;
  will_return(value, 2);
  assert_int_equal(value(), 2);
}
static int crashing_fixture(void **state) {
  (void)state;
  *(volatile int *)(uintptr_t)zero = 4;
  return 0;
}

int main(void) {
  const struct CMUnitTest crashes[] = {
      cmocka_unit_test(null_pointer),
      cmocka_unit_test(passes),
      cmocka_unit_test(division_by_zero),
      cmocka_unit_test(illegal_instruction),
      cmocka_unit_test(bus_error),
      cmocka_unit_test(bad_system_call),
      cmocka_unit_test(null_pointer_again),
      cmocka_unit_test(crash_with_things_left_over),
      cmocka_unit_test(passes),
      cmocka_unit_test_setup(passes, crashing_fixture),
      cmocka_unit_test_teardown(passes, crashing_fixture),
      cmocka_unit_test(passes),
  };
  return cmocka_run_group_tests(crashes, NULL, NULL);
}
