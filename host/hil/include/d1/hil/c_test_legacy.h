/* SPDX-License-Identifier: Apache-2.0
 *
 * The older half of the CMocka API: lists of single functions, of which setup and teardown stand
 * beside their test. Included by <cmocka.h>.
 */
#ifndef D1_HIL_C_TEST_LEGACY_H
#define D1_HIL_C_TEST_LEGACY_H

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*UnitTestFunction)(void **state);

typedef enum UnitTestFunctionType {
  UNIT_TEST_FUNCTION_TYPE_TEST = 0,
  UNIT_TEST_FUNCTION_TYPE_SETUP,
  UNIT_TEST_FUNCTION_TYPE_TEARDOWN,
  UNIT_TEST_FUNCTION_TYPE_GROUP_SETUP,
  UNIT_TEST_FUNCTION_TYPE_GROUP_TEARDOWN,
} UnitTestFunctionType;

typedef struct UnitTest {
  const char *name;
  UnitTestFunction function;
  UnitTestFunctionType function_type;
} UnitTest;

typedef struct GroupTest {
  UnitTestFunction setup;
  UnitTestFunction teardown;
  const UnitTest *tests;
  const size_t number_of_tests;
} GroupTest;

static inline void _unit_test_dummy(void **state) { (void)state; }

#define unit_test(f) {#f, f, UNIT_TEST_FUNCTION_TYPE_TEST}
#define _unit_test_setup(test, setup) {#test "_" #setup, setup, UNIT_TEST_FUNCTION_TYPE_SETUP}
#define _unit_test_teardown(test, teardown) \
  {#test "_" #teardown, teardown, UNIT_TEST_FUNCTION_TYPE_TEARDOWN}
#define unit_test_setup_teardown(test, setup, teardown) \
  _unit_test_setup(test, setup), unit_test(test), _unit_test_teardown(test, teardown)
#define unit_test_setup(test, setup) unit_test_setup_teardown(test, setup, _unit_test_dummy)
#define unit_test_teardown(test, teardown) \
  unit_test_setup_teardown(test, _unit_test_dummy, teardown)
#define group_test_setup(setup) {"group_" #setup, setup, UNIT_TEST_FUNCTION_TYPE_GROUP_SETUP}
#define group_test_teardown(teardown) \
  {"group_" #teardown, teardown, UNIT_TEST_FUNCTION_TYPE_GROUP_TEARDOWN}

/* Their results are the numbers of tests that did not pass. */
#define run_test(f) _run_test(#f, f, NULL, UNIT_TEST_FUNCTION_TYPE_TEST, NULL)
#define run_tests(tests) _run_tests(tests, sizeof(tests) / sizeof((tests)[0]))
#define run_group_tests(tests) _run_group_tests(tests, sizeof(tests) / sizeof((tests)[0]))

int _run_test(const char *const function_name, const UnitTestFunction function,
              void **const volatile state, const UnitTestFunctionType function_type,
              const void *const heap_check_point);
CMOCKA_DEPRECATED int _run_tests(const UnitTest *const tests, const size_t number_of_tests);
CMOCKA_DEPRECATED int _run_group_tests(const UnitTest *const tests, const size_t number_of_tests);

#ifdef __cplusplus
}
#endif

#endif
