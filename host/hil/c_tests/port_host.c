/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of C tests on a host: the C library's memory and streams, and signals.
 */
#define _DEFAULT_SOURCE 1 /* sigaltstack() and strsignal() under -std=c11 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <d1/hil/c_test_port.h>

/* SIGABRT is more than CMocka catches: a failed assert() of the C library fails its test, too. */
static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT};
enum { SIGNALS = sizeof signals / sizeof *signals, STACK_BYTES = 64 * 1024 };

static struct sigaction before[SIGNALS];
static stack_t stack_before;
static bool stack_is_ours;
static pthread_t guarded;

/* An overflow of the stack leaves no room for a handler there. */
static _Alignas(16) char handlers_stack[STACK_BYTES];

void *d1_test_port_allocate(size_t bytes) { return malloc(bytes); }

void d1_test_port_release(void *memory) { free(memory); }

void d1_test_port_write(enum d1_test_stream stream, const char *text, size_t bytes) {
  FILE *file = stream == D1_TEST_ERRORS ? stderr : stdout;
  (void)fwrite(text, 1, bytes, file);
  (void)fflush(file);
}

static void on_signal(int number) {
  /* On another thread there is no test to leave. */
  if (!pthread_equal(pthread_self(), guarded)) {
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    return;
  }
  char text[64];
  (void)snprintf(text, sizeof text, "signal %d, %s", number, strsignal(number));
  d1_test_crashed(text);
}

void d1_test_port_guard(void) {
  guarded = pthread_self();
  const stack_t stack = {.ss_sp = handlers_stack, .ss_size = sizeof handlers_stack};
  stack_is_ours = sigaltstack(NULL, &stack_before) == 0 &&
                  (stack_before.ss_flags & SS_DISABLE) != 0 && sigaltstack(&stack, NULL) == 0;
  /* Not deferred: the handler is left by longjmp(), which keeps the mask as it is. */
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
  (void)sigemptyset(&action.sa_mask);
  for (int i = 0; i < SIGNALS; ++i) (void)sigaction(signals[i], &action, &before[i]);
}

void d1_test_port_unguard(void) {
  for (int i = 0; i < SIGNALS; ++i) (void)sigaction(signals[i], &before[i], NULL);
  if (stack_is_ours) (void)sigaltstack(&stack_before, NULL);
}

void d1_test_port_failing(void) {
  const char *stop = getenv("CMOCKA_TEST_ABORT");
  if (stop == NULL || strcmp(stop, "1") != 0) return;
  (void)signal(SIGABRT, SIG_DFL);
  abort();
}

void d1_test_port_give_up(void) {
  (void)fputs("error: an assertion of a C test failed outside of any test\n", stderr);
  exit(255);
}

const char *d1_test_port_error_text(int number) { return strerror(number); }
