/* SPDX-License-Identifier: Apache-2.0
 * Where the fields lie that the interface processor, the boot ROM and the list parser share: the
 * same for every compiler on either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <d1/abi/mailbox.h>
#include <d1/abi/transfer.h>

static void a_launch_begins_the_mailbox_with_its_counts_in_one_word(void **state) {
  (void)state;
  assert_int_equal(offsetof(struct d1_mailbox, launch), 0);
  assert_int_equal(offsetof(struct d1_launch, entry), 0);
  assert_int_equal(offsetof(struct d1_launch, id), 8);
  assert_int_equal(offsetof(struct d1_launch, rank), 16);
  assert_int_equal(offsetof(struct d1_launch, nodes), 20);
  assert_int_equal(offsetof(struct d1_launch, grid_rows), 24);
  assert_int_equal(offsetof(struct d1_launch, grid_columns), 28);
  assert_int_equal(offsetof(struct d1_launch, harts), 32);
  assert_int_equal(offsetof(struct d1_launch, stack_bytes), 36);
  assert_int_equal(offsetof(struct d1_launch, arguments), 40);
  assert_int_equal(offsetof(struct d1_launch, float_arguments), 44);
  assert_int_equal(offsetof(struct d1_launch, float_argument), 48);
  assert_int_equal(offsetof(struct d1_launch, argument), 112);
  assert_int_equal(sizeof(struct d1_launch), 112 + 8 * D1_KERNEL_ARGUMENTS);
}

static void each_hart_has_a_trap_record_behind_the_launch(void **state) {
  (void)state;
  assert_int_equal(offsetof(struct d1_mailbox, trap), sizeof(struct d1_launch));
  assert_int_equal(sizeof(struct d1_trap_record), 48);
  assert_int_equal(offsetof(struct d1_trap_record, cause), 8);
  assert_int_equal(offsetof(struct d1_trap_record, value), 16);
  assert_int_equal(offsetof(struct d1_trap_record, pc), 24);
  assert_int_equal(offsetof(struct d1_trap_record, ra), 32);
  assert_int_equal(offsetof(struct d1_trap_record, sp), 40);
  assert_int_equal(sizeof(struct d1_mailbox),
                   sizeof(struct d1_launch) + D1_HARTS * sizeof(struct d1_trap_record));
  assert_true(D1_MAILBOX_ADDRESS + sizeof(struct d1_mailbox) <= D1_SYSTEM_BYTES);
}

static void a_transfer_is_a_packet_with_its_semaphores_in_the_first_word(void **state) {
  (void)state;
  assert_int_equal(sizeof(struct d1_transfer), 64);
  assert_int_equal(offsetof(struct d1_transfer, kind), 0);
  assert_int_equal(offsetof(struct d1_transfer, local_semaphore), 1);
  assert_int_equal(offsetof(struct d1_transfer, remote_semaphore), 2);
  assert_int_equal(offsetof(struct d1_transfer, row_bytes), 4);
  assert_int_equal(offsetof(struct d1_transfer, rows), 8);
  assert_int_equal(offsetof(struct d1_transfer, local), 16);
  assert_int_equal(offsetof(struct d1_transfer, remote), 24);
  assert_int_equal(offsetof(struct d1_transfer, local_pitch), 32);
  assert_int_equal(offsetof(struct d1_transfer, remote_pitch), 36);
  assert_int_equal(offsetof(struct d1_transfer, first_row), 40);
  assert_int_equal(offsetof(struct d1_transfer, grid_columns), 52);
  assert_true(D1_NO_SEMAPHORE >= D1_SEMAPHORES);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_launch_begins_the_mailbox_with_its_counts_in_one_word),
      cmocka_unit_test(each_hart_has_a_trap_record_behind_the_launch),
      cmocka_unit_test(a_transfer_is_a_packet_with_its_semaphores_in_the_first_word)};
  return cmocka_run_group_tests_name("Contract", tests, NULL, NULL);
}
