/* SPDX-License-Identifier: Apache-2.0
 * Against the API of CMocka: this file knows nothing of where it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ring.h"

static int empty_ring(void **state) {
  *state = test_calloc(1, sizeof(struct ring));
  return *state == NULL;
}

static int free_ring(void **state) {
  test_free(*state);
  return 0;
}

static void gives_back_in_order(void **state) {
  struct ring *ring = *state;
  for (uint8_t i = 0; i < 5; ++i) assert_true(ring_put(ring, i));
  for (uint8_t i = 0; i < 5; ++i) {
    uint8_t byte = 0xff;
    assert_true(ring_take(ring, &byte));
    assert_int_equal(byte, i);
  }
}

static void refuses_one_too_many(void **state) {
  struct ring *ring = *state;
  for (int i = 0; i < RING_BYTES; ++i) assert_true(ring_put(ring, 7));
  assert_false(ring_put(ring, 7));
}

static void has_nothing_at_first(void **state) {
  uint8_t byte;
  assert_false(ring_take(*state, &byte));
}

static void goes_on_where_its_counters_wrap(void **state) {
  struct ring *ring = *state;
  ring->head = ring->tail = UINT32_MAX - 2;
  for (uint8_t i = 0; i < RING_BYTES; ++i) assert_true(ring_put(ring, i));
  for (uint8_t i = 0; i < RING_BYTES; ++i) {
    uint8_t byte = 0xff;
    assert_true(ring_take(ring, &byte));
    assert_int_equal(byte, i);
  }
}

int main(void) {
  const struct CMUnitTest ring[] = {
      cmocka_unit_test_setup_teardown(gives_back_in_order, empty_ring, free_ring),
      cmocka_unit_test_setup_teardown(refuses_one_too_many, empty_ring, free_ring),
      cmocka_unit_test_setup_teardown(has_nothing_at_first, empty_ring, free_ring),
      cmocka_unit_test_setup_teardown(goes_on_where_its_counters_wrap, empty_ring, free_ring),
  };
  return cmocka_run_group_tests_name("Ring", ring, NULL, NULL);
}
