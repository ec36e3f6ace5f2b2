/* SPDX-License-Identifier: Apache-2.0
 *
 * What a C test is: the names and shapes that the CMocka API prescribes, without its macros, so
 * that runners in C++ can include them too.
 */
#ifndef D1_HIL_C_TEST_TYPES_H
#define D1_HIL_C_TEST_TYPES_H

/* All integers and pointers that are compared or kept for later go through this type. */
#ifndef LargestIntegralType
#define LargestIntegralType unsigned long int
#endif

typedef void (*CMUnitTestFunction)(void **state);
/* 0 is success. */
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
  const char *name;
  CMUnitTestFunction test_func;
  CMFixtureFunction setup_func;
  CMFixtureFunction teardown_func;
  void *initial_state;
};

#endif
