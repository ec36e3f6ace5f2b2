/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of tests: which of them run, and who runs them.
 */
#include <string.h>

#include "internal.h"

static d1_test_group_runner runner;
static const char *test_filter, *skip_filter;

d1_test_group_runner d1_test_set_group_runner(d1_test_group_runner new_runner) {
  d1_test_group_runner before = runner;
  runner = new_runner;
  return before;
}

void cmocka_set_test_filter(const char *pattern) { test_filter = pattern; }

void cmocka_set_skip_filter(const char *pattern) { skip_filter = pattern; }

void d1_test_clear_filters(void) { test_filter = skip_filter = NULL; }

void cmocka_set_message_output(enum cm_message_output output) { (void)output; }

static bool matches(const char *text, const char *pattern) {
  const char *star = NULL, *resume = NULL;
  while (*text != '\0') {
    if (*pattern == '*') {
      star = pattern++;
      resume = text;
    } else if (*pattern == '?' || *pattern == *text) {
      ++pattern;
      ++text;
    } else if (star != NULL) { /* let the last star take one character more */
      pattern = star + 1;
      text = ++resume;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == '\0';
}

bool d1_test_selected(const struct CMUnitTest *test) {
  if (test->name == NULL) return false;
  if (test->test_func == NULL && test->setup_func == NULL && test->teardown_func == NULL) {
    return false;
  }
  if (test_filter != NULL && !matches(test->name, test_filter)) return false;
  return skip_filter == NULL || !matches(test->name, skip_filter);
}

static void tell(const char *name, const struct d1_test_outcome *outcome) {
  static const char *const words[] = {"passed ", "FAILED ", "skipped"};
  print_message("%s %s\n", words[outcome->verdict], name);
  if (outcome->verdict != D1_TEST_FAILED) return;
  d1_test_port_write(D1_TEST_ERRORS, outcome->message, strlen(outcome->message));
  if (outcome->file != NULL) print_error("%s:%d: failed\n", outcome->file, outcome->line);
}

int d1_test_run_group(const struct d1_test_group *group) {
  int bad = 0;
  struct d1_test_session session;
  struct d1_test_outcome outcome = d1_test_set_up_group(group, &session);
  if (outcome.verdict == D1_TEST_PASSED) {
    for (size_t i = 0; i < group->count; ++i) {
      if (!d1_test_selected(&group->tests[i])) continue;
      outcome = d1_test_run(&group->tests[i], &session);
      bad += outcome.verdict == D1_TEST_FAILED;
      tell(group->tests[i].name, &outcome);
    }
  } else {
    ++bad;
    tell(group->name, &outcome);
  }
  outcome = d1_test_tear_down_group(group, &session);
  if (outcome.verdict != D1_TEST_PASSED) {
    ++bad;
    tell(group->name, &outcome);
  }
  return bad;
}

int _cmocka_run_group_tests(const char *group_name, const struct CMUnitTest *const tests,
                            const size_t num_tests, CMFixtureFunction group_setup,
                            CMFixtureFunction group_teardown) {
  const struct d1_test_group group = {group_name, tests, num_tests, group_setup, group_teardown};
  const int bad = runner != NULL ? runner(&group) : d1_test_run_group(&group);
  d1_test_clear_notes();
  return bad;
}
