/* SPDX-License-Identifier: Apache-2.0
 * Setup and teardown of single tests: what fails where, and what runs nevertheless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int steps, number = 5;

static int set_up(void **state) {
  steps = 1;
  *state = &number;
  return 0;
}
static int set_up_fails(void **state) {
  (void)state;
  steps = 10;
  return -1;
}
static int set_up_asserts(void **state) {
  (void)state;
  assert_int_equal(steps, -1);
  return 0;
}
static int tear_down(void **state) {
  (void)state;
  steps += 100;
  return 0;
}
static int tear_down_fails(void **state) {
  (void)state;
  steps += 200;
  return 1;
}
static int tear_down_asserts(void **state) {
  (void)state;
  steps += 300;
  assert_true(0);
  return 0;
}

static void passes(void **state) {
  (void)state;
  steps += 1000;
}
static void fails(void **state) {
  (void)state;
  fail();
}
static void skips(void **state) {
  (void)state;
  skip();
}
static void state_of_setup(void **state) {
  assert_ptr_equal(*state, &number);
  *state = NULL;
}
static int state_seen_by_teardown(void **state) { return *state == NULL ? 0 : -1; }
static void no_state(void **state) { assert_null(*state); }
static void prestate(void **state) { assert_string_equal(*state, "given"); }
static int set_up_sees_prestate(void **state) {
  assert_string_equal(*state, "given");
  *state = &number;
  return 0;
}
static void state_is_number(void **state) { assert_ptr_equal(*state, &number); }
static int keep_state(void **state) {
  (void)state;
  return 0;
}

#define STEPS(name, expected) \
  static void name(void **state) { \
    (void)state; \
    assert_int_equal(steps, expected); \
  }
STEPS(teardown_ran, 1101)
STEPS(failed_setup_is_all, 10)
STEPS(teardown_of_failed_test_ran, 101)
STEPS(teardown_of_skipped_test_ran, 101)
STEPS(failing_teardown_ran, 1201)
STEPS(asserting_teardown_ran, 1301)

static int mocked(void) { return mock_type(int); }
static int set_up_programs_mock(void **state) {
  (void)state;
  will_return(mocked, 3);
  return 0;
}
static int set_up_programs_two(void **state) {
  (void)state;
  will_return(mocked, 3);
  will_return(mocked, 4);
  return 0;
}
static int tear_down_uses_mock(void **state) {
  (void)state;
  return mocked() == 4 ? 0 : -1;
}
static void uses_mock_of_setup(void **state) {
  (void)state;
  assert_int_equal(mocked(), 3);
}
static void leaves_mock_of_setup(void **state) { (void)state; }
static void programs_mock_for_teardown(void **state) {
  (void)state;
  will_return(mocked, 4);
}
static int tear_down_programs_mock(void **state) {
  (void)state;
  will_return(mocked, 4);
  return 0;
}

int main(void) {
  char given[] = "given";
  const struct CMUnitTest fixtures[] = {
      cmocka_unit_test_setup_teardown(passes, set_up, tear_down),
      cmocka_unit_test(teardown_ran),
      cmocka_unit_test_setup_teardown(passes, set_up_fails, tear_down),
      cmocka_unit_test(failed_setup_is_all),
      cmocka_unit_test_setup(passes, set_up_asserts),
      cmocka_unit_test_setup_teardown(fails, set_up, tear_down),
      cmocka_unit_test(teardown_of_failed_test_ran),
      cmocka_unit_test_setup_teardown(skips, set_up, tear_down),
      cmocka_unit_test(teardown_of_skipped_test_ran),
      cmocka_unit_test_setup_teardown(passes, set_up, tear_down_fails),
      cmocka_unit_test(failing_teardown_ran),
      cmocka_unit_test_setup_teardown(passes, set_up, tear_down_asserts),
      cmocka_unit_test(asserting_teardown_ran),
      cmocka_unit_test_setup_teardown(fails, set_up, tear_down_fails),
      cmocka_unit_test_setup_teardown(skips, set_up, tear_down_fails),
      cmocka_unit_test_teardown(passes, tear_down_fails),
      cmocka_unit_test_setup_teardown(state_of_setup, set_up, state_seen_by_teardown),
      cmocka_unit_test(no_state),
      cmocka_unit_test_prestate(prestate, given),
      cmocka_unit_test_prestate_setup_teardown(state_is_number, set_up_sees_prestate, keep_state,
                                               given),
      cmocka_unit_test(no_state),
      cmocka_unit_test_setup(uses_mock_of_setup, set_up_programs_mock),
      cmocka_unit_test_setup(leaves_mock_of_setup, set_up_programs_mock),
      cmocka_unit_test_setup_teardown(uses_mock_of_setup, set_up_programs_two,
                                      tear_down_uses_mock),
      cmocka_unit_test_teardown(programs_mock_for_teardown, tear_down_uses_mock),
      cmocka_unit_test_teardown(passes, tear_down_programs_mock),
      cmocka_unit_test(passes),
  };
  return cmocka_run_group_tests(fixtures, NULL, NULL);
}
