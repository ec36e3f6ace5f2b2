/* SPDX-License-Identifier: Apache-2.0
 * Groups: their setup, teardown and state, several in one main. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int number = 7, set_ups, tear_downs;

static int set_up(void **state) {
  ++set_ups;
  *state = &number;
  return 0;
}
static int tear_down(void **state) {
  ++tear_downs;
  assert_ptr_equal(*state, &number);
  return 0;
}
static int fails(void **state) {
  (void)state;
  return -1;
}
static int asserts(void **state) {
  (void)state;
  assert_int_equal(1, 2);
  return 0;
}
static int crashes(void **state) {
  (void)state;
  volatile uintptr_t nowhere = 8;
  *(volatile int *)nowhere = 1;
  return 0;
}

static void sees_the_group(void **state) {
  assert_ptr_equal(*state, &number);
  assert_int_equal(set_ups, 1);
}
static void changes_its_state(void **state) { *state = NULL; }
static void sees_the_group_again(void **state) {
  assert_ptr_equal(*state, &number);
  assert_int_equal(set_ups, 1);
}
static void prestate_or_group(void **state) { assert_ptr_equal(*state, &number); }
static void sees_prestate(void **state) { assert_string_equal(*state, "mine"); }
static void no_state(void **state) { assert_null(*state); }
static void passes(void **state) { (void)state; }
static void failing(void **state) {
  (void)state;
  fail();
}
static int test_set_up(void **state) {
  assert_ptr_equal(*state, &number);
  *state = "mine";
  return 0;
}
static int test_tear_down(void **state) {
  assert_string_equal(*state, "mine");
  return 0;
}
static int mocked(void) { return mock_type(int); }
static int programs_mock(void **state) {
  (void)state;
  will_return_always(mocked, 12);
  return 0;
}
static void uses_mock_of_group(void **state) {
  (void)state;
  assert_int_equal(mocked(), 12);
}

static int leaks_in_set_up(void **state) {
  *state = test_malloc(4);
  return 0;
}
static int keeps(void **state) {
  (void)state;
  return 0;
}
static int gives_back(void **state) {
  test_free(*state);
  return 0;
}

int main(void) {
  char mine[] = "mine";
  int result = 0;
  const struct CMUnitTest first[] = {
      cmocka_unit_test(sees_the_group),
      cmocka_unit_test(changes_its_state),
      cmocka_unit_test(sees_the_group_again),
      cmocka_unit_test_setup_teardown(sees_prestate, test_set_up, test_tear_down),
      cmocka_unit_test_prestate(prestate_or_group, mine),
      cmocka_unit_test(failing),
  };
  const struct CMUnitTest second[] = {
      cmocka_unit_test(no_state),
      cmocka_unit_test_prestate(sees_prestate, mine),
  };
  const struct CMUnitTest mocks[] = {
      cmocka_unit_test(uses_mock_of_group),
      cmocka_unit_test(uses_mock_of_group),
  };
  const struct CMUnitTest any[] = {cmocka_unit_test(passes), cmocka_unit_test(failing)};
  result += cmocka_run_group_tests(first, set_up, tear_down);
  result += cmocka_run_group_tests(second, NULL, NULL);
  result += cmocka_run_group_tests_name("setup fails", any, fails, tear_down);
  result += cmocka_run_group_tests_name("setup asserts", any, asserts, NULL);
  result += cmocka_run_group_tests_name("setup crashes", any, crashes, NULL);
  result += cmocka_run_group_tests_name("teardown fails", any, NULL, fails);
  result += cmocka_run_group_tests_name("teardown asserts", any, NULL, asserts);
  result += cmocka_run_group_tests_name("setup programs a mock", mocks, programs_mock, NULL);
  result += cmocka_run_group_tests_name("memory is given back", any, leaks_in_set_up, gives_back);
  result += cmocka_run_group_tests_name("memory leaks past teardown", any, leaks_in_set_up,
                                        keeps);
  result += cmocka_run_group_tests_name("after all", any, NULL, NULL);
  return result;
}
