/* SPDX-License-Identifier: Apache-2.0
 *
 * What C tests on a node tell their runner on the host: a report in the node's memory, which the
 * host lays out and reads when the launch has ended, however it did.
 */
#ifndef D1_HIL_C_TEST_REPORT_H
#define D1_HIL_C_TEST_REPORT_H

#include <stdint.h>

#define D1_TEST_REPORT_BYTES (128u << 10)
#define D1_TEST_GROUP_TESTS 1024u /* most tests of a group */
#define D1_TEST_LIST_GROUPS (~(uint64_t)0)
#define D1_TEST_NO_GROUP (~(uint64_t)1) /* what main() does besides its groups */
/* A record has no more: 8 KiB of text, and a path. Tests that have no room for theirs do not begin;
 * the host asks for them again. */
#define D1_TEST_RECORD_BYTES (13u << 10)

/* Records follow the head. */
struct d1_test_report {
  uint32_t bytes;                      /* of all: set by the host */
  uint32_t used;                       /* of them, the head included */
  uint32_t lost;                       /* records that had no room */
  uint32_t reserved;
  uint8_t wanted[D1_TEST_GROUP_TESTS]; /* of the group that is to run: set by the host */
};

enum d1_test_record_kind {
  D1_TEST_RECORD_GROUP,     /* text: its name */
  D1_TEST_RECORD_TEST,      /* of the group before; text: its name */
  D1_TEST_RECORD_BEGIN,     /* a test runs now */
  D1_TEST_RECORD_OUTCOME,   /* of that test; text: its message */
  D1_TEST_RECORD_SET_UP,    /* how the group's setup went */
  D1_TEST_RECORD_TEAR_DOWN,
  D1_TEST_RECORD_MAIN       /* how main() went; value: what it returned */
};

/* Then text and file, each ended by a NUL, and padding to 8 bytes. */
struct d1_test_record {
  uint32_t bytes; /* of the whole record */
  uint8_t kind;
  uint8_t verdict;
  uint16_t reserved;
  uint32_t index; /* of the test in its group */
  int32_t line;
  int64_t value;
};

#endif
