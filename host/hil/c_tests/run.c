/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries out a function of a test so that a failure inside ends it, and only it: setup, test and
 * teardown each on its own. What it programmed for mocks is gone at its end, used or not.
 */
#include "internal.h"

/* How to get out of the running function, and how it wants to be seen. */
static jmp_buf *way_out;
static struct {
  enum d1_test_verdict verdict;
  const char *file;
  int line;
} ended;

/* Of expect_assert_failure(). */
static jmp_buf assert_way_out;
static bool assert_expected;
static const char *last_assert;

static _Noreturn void leave(enum d1_test_verdict verdict, const char *file, int line) {
  d1_test_forget_expected_assert();
  if (way_out == NULL) {
    if (file != NULL) d1_test_note_at(file, line, "a failure outside of any test\n");
    d1_test_port_give_up();
  }
  ended.verdict = verdict;
  ended.file = file;
  ended.line = line;
  longjmp(*way_out, 1);
}

_Noreturn void d1_test_fail_at(const char *file, int line) {
  d1_test_port_failing();
  leave(D1_TEST_FAILED, file, line);
}

_Noreturn void d1_test_skip_at(const char *file, int line) { leave(D1_TEST_SKIPPED, file, line); }

void d1_test_crashed(const char *what) {
  d1_test_note("ended by %s\n", what);
  leave(D1_TEST_FAILED, NULL, 0);
}

void _fail(const char *const file, const int line) { d1_test_fail_at(file, line); }

void _skip(const char *const file, const int line) { d1_test_skip_at(file, line); }

void mock_assert(const int result, const char *const expression, const char *const file,
                 const int line) {
  if (result != 0) return;
  if (assert_expected) {
    last_assert = expression;
    longjmp(assert_way_out, 1);
  }
  d1_test_note("assertion of the tested code failed: %s\n", expression);
  d1_test_fail_at(file, line);
}

jmp_buf *d1_test_expect_assert(void) {
  assert_expected = true;
  return &assert_way_out;
}

void d1_test_expected_assert_came(void) {
  assert_expected = false;
  print_message("Expected assertion %s occurred\n", last_assert);
}

void d1_test_no_assert_came(const char *call, const char *file, int line) {
  assert_expected = false;
  d1_test_note("%s was to fail an assertion, and did not\n", call);
  d1_test_fail_at(file, line);
}

void d1_test_forget_expected_assert(void) { assert_expected = false; }

static void drop_all(void) {
  d1_test_drop_return_values();
  d1_test_drop_parameters();
  d1_test_drop_calls();
}

static bool anything_left(void) {
  const bool values = d1_test_return_values_left();
  const bool parameters = d1_test_parameters_left();
  const bool calls = d1_test_calls_left();
  return values || parameters || calls;
}

/* A function under test, of one kind or the other. */
struct function {
  CMUnitTestFunction test;
  CMFixtureFunction fixture;
};

static const uint64_t no_blocks = UINT64_MAX;

/* Blocks from that number on must be gone afterwards. */
static enum d1_test_verdict call(struct function function, void **state, uint64_t blocks_from) {
  jmp_buf here;
  jmp_buf *const way_out_of_main = way_out;
  ended.verdict = D1_TEST_PASSED;
  way_out = &here;
  if (setjmp(here) == 0) {
    d1_test_port_guard();
    if (function.test != NULL) {
      function.test(state);
    } else if (function.fixture(state) != 0) {
      d1_test_note("it returned something other than 0\n");
      leave(D1_TEST_FAILED, NULL, 0);
    }
    /* Inside, since a block written beside, which may be anywhere, can still end it. */
    if (blocks_from != no_blocks && d1_test_blocks_left(blocks_from) != 0) {
      leave(D1_TEST_FAILED, NULL, 0);
    }
    if (anything_left()) leave(D1_TEST_FAILED, NULL, 0);
  }
  d1_test_port_unguard();
  way_out = way_out_of_main;
  drop_all();
  return ended.verdict;
}

static enum d1_test_verdict call_test(CMUnitTestFunction test, void **state, uint64_t from) {
  const struct function function = {test, NULL};
  return call(function, state, from);
}

/* A fixture cannot be skipped: what wants that has failed. */
static bool fixture_fails(CMFixtureFunction fixture, const char *what, void **state,
                          uint64_t from) {
  const struct function function = {NULL, fixture};
  if (call(function, state, from) == D1_TEST_PASSED) return false;
  d1_test_note("%s failed\n", what);
  return true;
}

static void begin(void) {
  d1_test_clear_notes();
  ended.verdict = D1_TEST_PASSED;
  ended.file = NULL;
  ended.line = 0;
}

static struct d1_test_outcome outcome(enum d1_test_verdict verdict) {
  const struct d1_test_outcome result = {verdict, d1_test_notes(), ended.file, ended.line};
  return result;
}

struct d1_test_outcome d1_test_set_up_group(const struct d1_test_group *group,
                                            struct d1_test_session *session) {
  begin();
  (void)d1_test_take_damaged_leaks();
  session->state = NULL;
  session->allocated = d1_test_next_block();
  if (group->setup != NULL &&
      fixture_fails(group->setup, "the group's setup", &session->state, no_blocks)) {
    return outcome(D1_TEST_FAILED);
  }
  return outcome(D1_TEST_PASSED);
}

struct d1_test_outcome d1_test_tear_down_group(const struct d1_test_group *group,
                                               struct d1_test_session *session) {
  begin();
  if (group->teardown != NULL && fixture_fails(group->teardown, "the group's teardown",
                                               &session->state, session->allocated)) {
    return outcome(D1_TEST_FAILED);
  }
  /* Also what tests have left that could not be asked, since they had failed or were skipped. */
  const size_t left = d1_test_blocks_left(session->allocated);
  const bool damaged = d1_test_take_damaged_leaks();
  return outcome(left == 0 && !damaged ? D1_TEST_PASSED : D1_TEST_FAILED);
}

struct d1_test_outcome d1_test_run(const struct CMUnitTest *test,
                                   struct d1_test_session *session) {
  begin();
  void *state = session->state != NULL ? session->state : test->initial_state;
  uint64_t for_teardown = d1_test_next_block();
  if (test->setup_func != NULL &&
      fixture_fails(test->setup_func, "the test's setup", &state, no_blocks)) {
    return outcome(D1_TEST_FAILED);
  }
  enum d1_test_verdict verdict = D1_TEST_PASSED;
  if (test->test_func != NULL) {
    verdict = call_test(test->test_func, &state, d1_test_next_block());
  }
  if (test->setup_func == NULL) for_teardown = d1_test_next_block();
  const struct d1_test_outcome of_test = outcome(verdict);
  if (test->teardown_func != NULL &&
      fixture_fails(test->teardown_func, "the test's teardown", &state, for_teardown)) {
    verdict = D1_TEST_FAILED;
    if (of_test.verdict == D1_TEST_PASSED) return outcome(verdict);
  }
  /* Where the test itself failed is what the reader wants to see first. */
  struct d1_test_outcome result = of_test;
  result.verdict = verdict;
  return result;
}

/* A main() without parameters is called as one with them: the ABIs we run on allow that. */
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
struct d1_test_outcome d1_test_call_main(int (*function)(int, char **), int argc, char **argv,
                                         int *result) {
  jmp_buf here;
  begin();
  way_out = &here;
  if (setjmp(here) == 0) {
    *result = function(argc, argv);
    begin(); /* the outcomes of its tests have been told */
  }
  way_out = NULL;
  drop_all();
  return outcome(ended.verdict);
}
