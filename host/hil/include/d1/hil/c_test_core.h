/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of C tests as a runner sees it: it carries out one test, or one group's setup or
 * teardown, and says how that ended. What tests call is <cmocka.h>.
 *
 * Freestanding C11: needs <setjmp.h>, <string.h> and vsnprintf() of the C library, and the
 * functions of <d1/hil/c_test_port.h>, so that it also runs on a node.
 *
 * One thread at a time. An outcome's texts belong to the core, until it is called again.
 */
#ifndef D1_HIL_C_TEST_CORE_H
#define D1_HIL_C_TEST_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <d1/hil/c_test_types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum d1_test_verdict { D1_TEST_PASSED, D1_TEST_FAILED, D1_TEST_SKIPPED };

struct d1_test_outcome {
  enum d1_test_verdict verdict;
  const char *message; /* what failed, a line each; never null */
  const char *file;    /* where; null if it has no place */
  int line;
};

/* What a call of cmocka_run_group_tests() names. Belongs to the caller. */
struct d1_test_group {
  const char *name;
  const struct CMUnitTest *tests;
  size_t count;
  CMFixtureFunction setup;    /* or null */
  CMFixtureFunction teardown; /* or null */
};

/* Lives from a group's setup to its teardown. */
struct d1_test_session {
  void *state;        /* what the setup left there */
  uint64_t allocated; /* blocks from this number on belong to the group */
};

/* What cmocka_run_group_tests() calls; its result is the number of tests that did not pass. */
typedef int (*d1_test_group_runner)(const struct d1_test_group *group);

/* Null: d1_test_run_group(). Returns the one before. */
d1_test_group_runner d1_test_set_group_runner(d1_test_group_runner runner);

struct d1_test_outcome d1_test_set_up_group(const struct d1_test_group *group,
                                            struct d1_test_session *session);
struct d1_test_outcome d1_test_run(const struct CMUnitTest *test, struct d1_test_session *session);
struct d1_test_outcome d1_test_tear_down_group(const struct d1_test_group *group,
                                               struct d1_test_session *session);

/* All of a group in a row, a line for each test, by the port's output. */
int d1_test_run_group(const struct d1_test_group *group);

/* Is it a test, and do the filters that the test file has set let it run? */
bool d1_test_selected(const struct CMUnitTest *test);
void d1_test_clear_filters(void);

/* Calls the main() of a test file. An assertion outside of any test ends it, as a failure. */
struct d1_test_outcome d1_test_call_main(int (*function)(int, char **), int argc, char **argv,
                                         int *result);

#ifdef __cplusplus
}
#endif

#endif
