/* SPDX-License-Identifier: Apache-2.0
 * What host and nodes both make of device addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <d1/abi/memory_map.h>

static void an_address_of_a_node_gives_its_parts_back(void **state) {
  (void)state;
  const uint32_t dies[] = {0, 1, 24, 2999, (1u << D1_DIE_BITS) - 1};
  const uint32_t nodes[] = {0, 353, (1u << D1_NODE_BITS) - 1};
  const uint32_t offsets[] = {0, D1_MAILBOX_ADDRESS, D1_SRAM_BYTES - 1};
  for (unsigned d = 0; d < sizeof dies / sizeof *dies; ++d) {
    for (unsigned n = 0; n < sizeof nodes / sizeof *nodes; ++n) {
      for (unsigned o = 0; o < sizeof offsets / sizeof *offsets; ++o) {
        const uint64_t address = d1_node_address(dies[d], nodes[n], offsets[o]);
        assert_int_equal(d1_address_kind(address), D1_ADDRESS_NODE);
        assert_int_equal(d1_address_die(address), dies[d]);
        assert_int_equal(d1_address_node(address), nodes[n]);
        assert_int_equal(d1_address_offset(address), offsets[o]);
      }
    }
  }
}

static void an_address_of_a_grid_gives_its_parts_back(void **state) {
  (void)state;
  const uint64_t address = d1_grid_address(1061999, 0x13fff8);
  assert_int_equal(d1_address_kind(address), D1_ADDRESS_GRID);
  assert_int_equal(d1_address_rank(address), 1061999);
  assert_int_equal(d1_address_offset(address), 0x13fff8);
}

static void an_address_of_hbm_gives_its_offset_back(void **state) {
  (void)state;
  const uint64_t last = ((uint64_t)1 << D1_HBM_BITS) - 1;
  assert_int_equal(d1_address_kind(d1_hbm_address(last)), D1_ADDRESS_HBM);
  assert_int_equal(d1_address_hbm(d1_hbm_address(last)), last);
}

static void small_numbers_are_local(void **state) {
  (void)state;
  assert_int_equal(d1_address_kind(0), D1_ADDRESS_LOCAL);
  assert_int_equal(d1_address_kind(D1_SRAM_BYTES), D1_ADDRESS_LOCAL);
}

static void the_memory_map_has_no_overlaps(void **state) {
  (void)state;
  assert_true(D1_NULL_BYTES <= D1_MAILBOX_ADDRESS);
  assert_true(D1_SYSTEM_BYTES <= D1_PROGRAM_BASE);
  assert_true(D1_STACK_TOP <= D1_SRAM_BYTES);
  assert_true(D1_SRAM_BYTES <= D1_ROM_BASE);
  assert_true(D1_ROM_BASE + D1_ROM_BYTES <= 1u << D1_OFFSET_BITS);
  assert_true(D1_SEMAPHORE_USER_COUNT <= D1_SEMAPHORE_LIBRARY);
  assert_true(D1_SEMAPHORE_LAUNCH + 4 <= D1_SEMAPHORES);
}

int main(void) {
  const struct CMUnitTest addresses[] = {
      cmocka_unit_test(an_address_of_a_node_gives_its_parts_back),
      cmocka_unit_test(an_address_of_a_grid_gives_its_parts_back),
      cmocka_unit_test(an_address_of_hbm_gives_its_offset_back),
      cmocka_unit_test(small_numbers_are_local),
      cmocka_unit_test(the_memory_map_has_no_overlaps),
  };
  return cmocka_run_group_tests_name("Addresses", addresses, NULL, NULL);
}
