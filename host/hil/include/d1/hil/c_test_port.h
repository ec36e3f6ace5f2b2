/* SPDX-License-Identifier: Apache-2.0
 *
 * What the core of C tests needs of the machine it runs on. The kit brings an implementation for
 * the host (c_tests/port_host.c).
 */
#ifndef D1_HIL_C_TEST_PORT_H
#define D1_HIL_C_TEST_PORT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Memory of mock queues and of test_malloc(), aligned to 16 bytes; null if there is no more. */
void *d1_test_port_allocate(size_t bytes);
void d1_test_port_release(void *memory);

enum d1_test_stream { D1_TEST_MESSAGES, D1_TEST_ERRORS };
void d1_test_port_write(enum d1_test_stream stream, const char *text, size_t bytes);

/* From guard to unguard, what else would end the program (a bad pointer, say) must call
 * d1_test_crashed() if the machine can. They do not nest. */
void d1_test_port_guard(void);
void d1_test_port_unguard(void);
/* Provided by the core; does not return. */
void d1_test_crashed(const char *what);

/* A test is failing, and its stack is still there: the place to stop for a debugger. */
void d1_test_port_failing(void);

/* An assertion failed and no test runs, nor the main() of a file. Must not return. */
void d1_test_port_give_up(void);

/* The text of an errno. */
const char *d1_test_port_error_text(int number);

#ifdef __cplusplus
}
#endif

#endif
