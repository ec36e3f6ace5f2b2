/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the core tell each other.
 */
#ifndef D1_HIL_C_TESTS_INTERNAL_H
#define D1_HIL_C_TESTS_INTERNAL_H

#include <cmocka.h>
#include <stdbool.h>

#include <d1/hil/c_test_core.h>
#include <d1/hil/c_test_port.h>

/* Adds to the message of the running test; cut at its end. Text of notes ends with a newline. */
void d1_test_note(const char *format, ...) CMOCKA_PRINTF_ATTRIBUTE(1, 2);
void d1_test_note_at(const char *file, int line, const char *format, ...)
    CMOCKA_PRINTF_ATTRIBUTE(3, 4);
void d1_test_clear_notes(void);
const char *d1_test_notes(void);

/* Ends the running test as failed, or as skipped. Do not return. */
_Noreturn void d1_test_fail_at(const char *file, int line);
_Noreturn void d1_test_skip_at(const char *file, int line);

/* Comparisons that assertions and checks of parameters share: each says in a note what is wrong. */
bool d1_test_values_equal(LargestIntegralType left, LargestIntegralType right);
bool d1_test_values_differ(LargestIntegralType left, LargestIntegralType right);
bool d1_test_strings_equal(const char *left, const char *right);
bool d1_test_strings_differ(const char *left, const char *right);
bool d1_test_bytes_equal(const void *left, const void *right, size_t bytes);
bool d1_test_bytes_differ(const void *left, const void *right, size_t bytes);
bool d1_test_is_within(LargestIntegralType value, LargestIntegralType least,
                       LargestIntegralType most);
bool d1_test_is_outside(LargestIntegralType value, LargestIntegralType least,
                        LargestIntegralType most);
bool d1_test_is_in_set(LargestIntegralType value, const LargestIntegralType values[], size_t count,
                       bool wanted);

/* Things that tests have programmed and that something must take. */
struct d1_test_item {
  struct d1_test_item *next;
  const char *file;
  int line;
  int count; /* how often; WILL_RETURN_ALWAYS, below that: as often as wanted, or never */
  LargestIntegralType value;
  CheckParameterValue check;
};

struct d1_test_queue {
  struct d1_test_queue *next;
  const char *function;
  const char *parameter; /* null for return values */
  struct d1_test_item *first;
  const char *last_file; /* of the item that was taken last; null if none was */
  int last_line;
};

/* Both end the test if there is no memory. */
struct d1_test_item *d1_test_new_item(size_t extra_bytes, const char *file, int line, int count);
struct d1_test_queue *d1_test_queue_of(struct d1_test_queue **queues, const char *function,
                                       const char *parameter);
void d1_test_append(struct d1_test_item **first, struct d1_test_item *item);
/* One use of the item: it leaves the queue with its last one (and is the caller's to release). */
bool d1_test_use_up(struct d1_test_item **place);
/* Drops a head that needs no further use; notes what is left; is anything? */
bool d1_test_items_left(struct d1_test_item **first);
void d1_test_drop_items(struct d1_test_item **first);
void d1_test_drop_queues(struct d1_test_queue **queues);

/* Each part: notes what the test left over; and forgets it. */
bool d1_test_return_values_left(void);
void d1_test_drop_return_values(void);
bool d1_test_parameters_left(void);
void d1_test_drop_parameters(void);
bool d1_test_calls_left(void);
void d1_test_drop_calls(void);

/* Blocks of test_malloc() are numbered; the number of the next one. */
uint64_t d1_test_next_block(void);
/* Notes blocks from this number on, releases them, and returns how many there were. */
size_t d1_test_blocks_left(uint64_t from);
/* Since it was asked last: was one of those written beside? Its group fails then, too. */
bool d1_test_take_damaged_leaks(void);

/* Ends an expect_assert_failure() that a failure has left. */
void d1_test_forget_expected_assert(void);

#endif
