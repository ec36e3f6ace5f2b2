/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons that assertions and checks of parameters share. Each notes what it does not like.
 */
#include <string.h>

#include "internal.h"

enum { MOST_DIFFERENCES = 16 };

bool d1_test_values_equal(LargestIntegralType left, LargestIntegralType right) {
  if (left == right) return true;
  d1_test_note("%#lx is not equal to %#lx\n", left, right);
  return false;
}

bool d1_test_values_differ(LargestIntegralType left, LargestIntegralType right) {
  if (left != right) return true;
  d1_test_note("%#lx is equal to %#lx\n", left, right);
  return false;
}

/* Null is no string, and so neither equal to anything nor different from it. */
static bool are_strings(const char *left, const char *right) {
  if (left != NULL && right != NULL) return true;
  d1_test_note("%s is a null pointer, where a string was to be compared\n",
               left == NULL ? (right == NULL ? "each side" : "the left side") : "the right side");
  return false;
}

bool d1_test_strings_equal(const char *left, const char *right) {
  if (!are_strings(left, right)) return false;
  if (strcmp(left, right) == 0) return true;
  d1_test_note("\"%s\" is not equal to \"%s\"\n", left, right);
  return false;
}

bool d1_test_strings_differ(const char *left, const char *right) {
  if (!are_strings(left, right)) return false;
  if (strcmp(left, right) != 0) return true;
  d1_test_note("\"%s\" is equal to \"%s\"\n", left, right);
  return false;
}

bool d1_test_bytes_equal(const void *left, const void *right, size_t bytes) {
  const unsigned char *a = left, *b = right;
  size_t differences = 0;
  for (size_t i = 0; i < bytes; ++i) {
    if (a[i] == b[i]) continue;
    if (++differences <= MOST_DIFFERENCES) {
      d1_test_note("offset %zu: %#04x is not %#04x\n", i, (unsigned)a[i], (unsigned)b[i]);
    }
  }
  if (differences == 0) return true;
  d1_test_note("%zu of %zu bytes at %p and %p differ\n", differences, bytes, left, right);
  return false;
}

bool d1_test_bytes_differ(const void *left, const void *right, size_t bytes) {
  const unsigned char *a = left, *b = right;
  for (size_t i = 0; i < bytes; ++i) {
    if (a[i] != b[i]) return true;
  }
  d1_test_note("all %zu bytes at %p and %p are equal\n", bytes, left, right);
  return false;
}

bool d1_test_is_within(LargestIntegralType value, LargestIntegralType least,
                       LargestIntegralType most) {
  if (value >= least && value <= most) return true;
  d1_test_note("%lu is not within %lu to %lu\n", value, least, most);
  return false;
}

bool d1_test_is_outside(LargestIntegralType value, LargestIntegralType least,
                        LargestIntegralType most) {
  if (value < least || value > most) return true;
  d1_test_note("%lu is within %lu to %lu\n", value, least, most);
  return false;
}

bool d1_test_is_in_set(LargestIntegralType value, const LargestIntegralType values[], size_t count,
                       bool wanted) {
  bool found = false;
  for (size_t i = 0; i < count && !found; ++i) found = values[i] == value;
  if (found == wanted) return true;
  d1_test_note("%lu is %s the set of", value, found ? "in" : "not in");
  for (size_t i = 0; i < count; ++i) d1_test_note(" %#lx", values[i]);
  d1_test_note(count == 0 ? " nothing\n" : "\n");
  return false;
}
