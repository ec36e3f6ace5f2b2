/* SPDX-License-Identifier: Apache-2.0
 * The SDK's bf16 rounds on a node as it does on the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rounding.h"

static void what_bf16_can_hold_stays(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7fff) > 0x7f80) continue; /* NaNs */
    assert_int_equal(rounding_from_bf16((uint16_t)bits), bits << 16);
    assert_int_equal(rounding_to_bf16(bits << 16), bits);
  }
}

static void halves_go_to_the_even_neighbour(void **state) {
  (void)state;
  assert_int_equal(rounding_to_bf16(0x3f808000), 0x3f80);
  assert_int_equal(rounding_to_bf16(0x3f818000), 0x3f82);
  assert_int_equal(rounding_to_bf16(0xbf818000), 0xbf82);
}

static void others_go_to_the_nearest(void **state) {
  (void)state;
  assert_int_equal(rounding_to_bf16(0x3f807fff), 0x3f80);
  assert_int_equal(rounding_to_bf16(0x3f808001), 0x3f81);
  assert_int_equal(rounding_to_bf16(0x00008001), 0x0001); /* below the normal numbers, too */
}

static void what_is_too_large_becomes_infinite(void **state) {
  (void)state;
  assert_int_equal(rounding_to_bf16(0x7f7f7fff), 0x7f7f);
  assert_int_equal(rounding_to_bf16(0x7f7f8000), 0x7f80);
  assert_int_equal(rounding_to_bf16(0xff7fffff), 0xff80);
}

static void there_is_one_nan(void **state) {
  (void)state;
  assert_int_equal(rounding_to_bf16(0x7fc00000), 0x7fc0);
  assert_int_equal(rounding_to_bf16(0xff800001), 0x7fc0);
  assert_int_equal(rounding_to_bf16(0x7fffffff), 0x7fc0);
}

int main(void) {
  const struct CMUnitTest rounding[] = {
      cmocka_unit_test(what_bf16_can_hold_stays),
      cmocka_unit_test(halves_go_to_the_even_neighbour),
      cmocka_unit_test(others_go_to_the_nearest),
      cmocka_unit_test(what_is_too_large_becomes_infinite),
      cmocka_unit_test(there_is_one_nan),
  };
  return cmocka_run_group_tests_name("Rounding", rounding, NULL, NULL);
}
