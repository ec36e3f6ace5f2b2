/* SPDX-License-Identifier: Apache-2.0
 * test_malloc() and its like: leaks, and what is written beside a block. */
#define UNIT_TESTING 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

static void all_given_back(void **state) {
  char *block = malloc(10);
  int *zeros = calloc(3, sizeof *zeros);
  (void)state;
  assert_non_null(block);
  memset(block, 1, 10);
  for (int i = 0; i < 3; ++i) assert_int_equal(zeros[i], 0);
  block = realloc(block, 1000);
  assert_int_equal(block[9], 1);
  block = realloc(block, 5);
  assert_int_equal(block[4], 1);
  free(block);
  free(zeros);
}

static void nothing_is_given_back(void **state) {
  (void)state;
  free(NULL);
}

static void realloc_of_nothing(void **state) {
  void *block = realloc(NULL, 4);
  (void)state;
  assert_non_null(block);
  free(block);
}

static void realloc_to_nothing(void **state) {
  void *block = malloc(4);
  (void)state;
  assert_null(realloc(block, 0));
}

static void aligned(void **state) {
  (void)state;
  for (size_t bytes = 1; bytes < 40; ++bytes) {
    void *block = malloc(bytes);
    assert_int_equal((uintptr_t)block % sizeof(void *), 0);
    free(block);
  }
}

static void leak(void **state) {
  (void)state;
  assert_non_null(test_malloc(7));
}

static void leaks_of_each_kind(void **state) {
  (void)state;
  assert_non_null(malloc(1));
  assert_non_null(calloc(2, 3));
  assert_non_null(realloc(NULL, 4));
}

static void leak_of_a_reallocated_block(void **state) {
  void *block = malloc(3);
  (void)state;
  assert_non_null(realloc(block, 30));
}

static void after_a_leak(void **state) {
  void *block = malloc(8);
  (void)state;
  free(block);
}

static void leak_behind_a_failure(void **state) {
  (void)state;
  assert_non_null(malloc(11));
  fail();
}

static void clean_after_a_failure(void **state) {
  void *block = malloc(8);
  (void)state;
  free(block);
}

static void overrun(void **state) {
  char *block = malloc(5);
  (void)state;
  ((volatile char *)block)[5] = 1;
  free(block);
}

static void underrun(void **state) {
  char *block = malloc(5);
  (void)state;
  ((volatile char *)block)[-1] = 1;
  free(block);
}

static void overrun_seen_by_realloc(void **state) {
  char *block = malloc(5);
  (void)state;
  ((volatile char *)block)[6] = 1;
  block = realloc(block, 50);
  free(block);
}

static void after_an_overrun(void **state) {
  void *block = malloc(8);
  (void)state;
  free(block);
}

static int take_memory(void **state) {
  *state = malloc(16);
  return 0;
}

static int keep_memory(void **state) {
  (void)state;
  return 0;
}

static int give_memory_back(void **state) {
  free(*state);
  return 0;
}

static void of_setup_and_teardown(void **state) { memset(*state, 0, 16); }

static void of_setup_alone(void **state) { memset(*state, 0, 16); }

static void of_setup_kept_by_teardown(void **state) { memset(*state, 0, 16); }

static void of_setup_given_back_by_the_test(void **state) {
  free(*state);
  *state = NULL;
}

static void given_back_by_teardown(void **state) { *state = malloc(3); }

static void lost_before_teardown(void **state) { *state = malloc(3); }

static void after_all(void **state) { (void)state; }

int main(void) {
  const struct CMUnitTest memory[] = {
      cmocka_unit_test(all_given_back),
      cmocka_unit_test(nothing_is_given_back),
      cmocka_unit_test(realloc_of_nothing),
      cmocka_unit_test(realloc_to_nothing),
      cmocka_unit_test(aligned),
      cmocka_unit_test(leak),
      cmocka_unit_test(leaks_of_each_kind),
      cmocka_unit_test(leak_of_a_reallocated_block),
      cmocka_unit_test(after_a_leak),
      cmocka_unit_test(leak_behind_a_failure),
      cmocka_unit_test(clean_after_a_failure),
      cmocka_unit_test(overrun),
      cmocka_unit_test(underrun),
      cmocka_unit_test(overrun_seen_by_realloc),
      cmocka_unit_test(after_an_overrun),
      cmocka_unit_test_setup_teardown(of_setup_and_teardown, take_memory, give_memory_back),
      cmocka_unit_test_setup(of_setup_alone, take_memory),
      cmocka_unit_test_setup_teardown(of_setup_kept_by_teardown, take_memory, keep_memory),
      cmocka_unit_test_setup(of_setup_given_back_by_the_test, take_memory),
      cmocka_unit_test_teardown(given_back_by_teardown, give_memory_back),
      cmocka_unit_test_teardown(lost_before_teardown, keep_memory),
      cmocka_unit_test(after_all),
  };
  return cmocka_run_group_tests(memory, NULL, NULL);
}
