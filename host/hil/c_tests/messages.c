/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests print, and what is noted about the running one until its outcome is read.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

static char notes[8192];
static size_t notes_bytes;

static void add(const char *format, va_list arguments) CMOCKA_PRINTF_ATTRIBUTE(1, 0);

static void add(const char *format, va_list arguments) {
  const size_t room = sizeof notes - notes_bytes;
  const int wanted = vsnprintf(notes + notes_bytes, room, format, arguments);
  if (wanted < 0) return;
  notes_bytes += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

void d1_test_note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add(format, arguments);
  va_end(arguments);
}

void d1_test_note_at(const char *file, int line, const char *format, ...) {
  va_list arguments;
  d1_test_note("%s:%d: ", file, line);
  va_start(arguments, format);
  add(format, arguments);
  va_end(arguments);
}

void d1_test_clear_notes(void) {
  notes_bytes = 0;
  notes[0] = '\0';
}

const char *d1_test_notes(void) { return notes; }

static void print(enum d1_test_stream stream, const char *format, va_list arguments)
    CMOCKA_PRINTF_ATTRIBUTE(2, 0);

static void print(enum d1_test_stream stream, const char *format, va_list arguments) {
  char text[1024];
  const int wanted = vsnprintf(text, sizeof text, format, arguments);
  if (wanted <= 0) return;
  const size_t bytes = (size_t)wanted < sizeof text ? (size_t)wanted : sizeof text - 1;
  d1_test_port_write(stream, text, bytes);
}

void vprint_message(const char *const format, va_list args) {
  print(D1_TEST_MESSAGES, format, args);
}

/* Seen at once, and again where the failure it tells of is reported. */
void vprint_error(const char *const format, va_list args) {
  va_list again;
  va_copy(again, args);
  print(D1_TEST_ERRORS, format, args);
  add(format, again);
  va_end(again);
}

void print_message(const char *const format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprint_message(format, arguments);
  va_end(arguments);
}

void print_error(const char *const format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprint_error(format, arguments);
  va_end(arguments);
}
