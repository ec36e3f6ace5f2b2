/* SPDX-License-Identifier: Apache-2.0
 *
 * The assertions: each compares, and ends the test if that does not hold.
 */
#include <float.h>

#include "internal.h"

static void require(bool holds, const char *file, int line) {
  if (!holds) d1_test_fail_at(file, line);
}

void _assert_true(const LargestIntegralType result, const char *const expression,
                  const char *const file, const int line) {
  if (result != 0) return;
  d1_test_note("%s\n", expression);
  d1_test_fail_at(file, line);
}

/* The largest value of a signed integer of that many bytes counts as an error too, and 255 of one
 * byte: so does CMocka, and verdicts are to be the same. */
static LargestIntegralType least_error(size_t bytes) {
  switch (bytes) {
    case 1: return UINT8_MAX;
    case 2: return INT16_MAX;
    case 8: return INT64_MAX;
    default: return INT32_MAX;
  }
}

void _assert_return_code(const LargestIntegralType result, size_t rlen,
                         const LargestIntegralType error, const char *const expression,
                         const char *const file, const int line) {
  if (result < least_error(rlen)) return;
  if (error == 0) {
    d1_test_note("%s is negative\n", expression);
  } else {
    d1_test_note("%s is negative; errno %lu: %s\n", expression, error,
                 d1_test_port_error_text((int)error));
  }
  d1_test_fail_at(file, line);
}

/* Equal if not further apart than epsilon, or than floats of their size are from each other.
 * Written so that whatever has no order is equal to everything: as in CMocka. */
static bool floats_equal(float left, float right, float epsilon) {
  const float distance = left > right ? left - right : right - left;
  const float left_size = left < 0 ? -left : left, right_size = right < 0 ? -right : right;
  const float size = left_size > right_size ? left_size : right_size;
  const float reach = epsilon < 0 ? -epsilon : epsilon;
  return !(distance > reach && distance > size * FLT_EPSILON);
}

void _assert_float_equal(const float a, const float b, const float epsilon, const char *const file,
                         const int line) {
  if (floats_equal(a, b, epsilon)) return;
  d1_test_note("%f is not equal to %f\n", (double)a, (double)b);
  d1_test_fail_at(file, line);
}

void _assert_float_not_equal(const float a, const float b, const float epsilon,
                             const char *const file, const int line) {
  if (!floats_equal(a, b, epsilon)) return;
  d1_test_note("%f is equal to %f\n", (double)a, (double)b);
  d1_test_fail_at(file, line);
}

void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b,
                       const char *const file, const int line) {
  require(d1_test_values_equal(a, b), file, line);
}

void _assert_int_not_equal(const LargestIntegralType a, const LargestIntegralType b,
                           const char *const file, const int line) {
  require(d1_test_values_differ(a, b), file, line);
}

void _assert_string_equal(const char *const a, const char *const b, const char *const file,
                          const int line) {
  require(d1_test_strings_equal(a, b), file, line);
}

void _assert_string_not_equal(const char *const a, const char *const b, const char *file,
                              const int line) {
  require(d1_test_strings_differ(a, b), file, line);
}

void _assert_memory_equal(const void *const a, const void *const b, const size_t size,
                          const char *const file, const int line) {
  require(d1_test_bytes_equal(a, b, size), file, line);
}

void _assert_memory_not_equal(const void *const a, const void *const b, const size_t size,
                              const char *const file, const int line) {
  require(d1_test_bytes_differ(a, b, size), file, line);
}

void _assert_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
                      const LargestIntegralType maximum, const char *const file, const int line) {
  require(d1_test_is_within(value, minimum, maximum), file, line);
}

void _assert_not_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
                          const LargestIntegralType maximum, const char *const file,
                          const int line) {
  require(d1_test_is_outside(value, minimum, maximum), file, line);
}

void _assert_in_set(const LargestIntegralType value, const LargestIntegralType values[],
                    const size_t number_of_values, const char *const file, const int line) {
  require(d1_test_is_in_set(value, values, number_of_values, true), file, line);
}

void _assert_not_in_set(const LargestIntegralType value, const LargestIntegralType values[],
                        const size_t number_of_values, const char *const file, const int line) {
  require(d1_test_is_in_set(value, values, number_of_values, false), file, line);
}
