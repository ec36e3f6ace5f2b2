/* SPDX-License-Identifier: Apache-2.0
 * The intrinsics of <d1/xd1.h>, from C on a node of its own. A host has none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef __riscv
#define ON_A_NODE(function) {#function, function, NULL, NULL, NULL}

#include <d1/abi/memory_map.h>
#include <d1/abi/transfer.h>
#include <d1/xd1.h>
#include <string.h>

static void a_launch_of_one_node_is_rank_0_of_1(void **state) {
  (void)state;
  assert_int_equal(d1_rank(), 0);
  assert_int_equal(d1_nodes(), 1);
  assert_int_equal(d1_grid(), (1ull << 32) | 1);
  assert_int_equal(d1_node_harts(), 1);
}

static void semaphores_count_what_is_posted_and_give_what_is_there(void **state) {
  (void)state;
  assert_int_equal(d1_sem_read(5), 0);
  assert_int_equal(d1_sem_try(5, 1), 0);
  d1_sem_post(5, 3);
  assert_int_equal(d1_sem_read(5), 3);
  d1_sem_wait(5, 2);
  assert_int_equal(d1_sem_try(5, 2), 0);
  assert_int_not_equal(d1_sem_try(5, 1), 0);
  assert_int_equal(d1_sem_read(5), 0);
}

static void modes_are_what_was_set_until_they_are_reset(void **state) {
  (void)state;
  d1_set_seed(1234);
  assert_int_equal(d1_seed(), 1234);
  d1_set_modes(0);
  assert_int_equal(d1_bias(), 0);
}

/* C[i][j] += sum over k of A[i][k] * B[k][j]; whole numbers, so the sums are exact. */
static void a_matrix_product_of_whole_numbers_is_exact(void **state) {
  (void)state;
  static uint16_t a[8][4], b[4][8];
  static float c[8][8];
  for (int i = 0; i < 8; ++i)
    for (int k = 0; k < 4; ++k) {
      const float left = (float)(i - k), right = (float)(k + 2 * i);
      uint32_t bits;
      memcpy(&bits, &left, 4);
      a[i][k] = (uint16_t)(bits >> 16);
      memcpy(&bits, &right, 4);
      b[k][i] = (uint16_t)(bits >> 16);
    }
  for (int i = 0; i < 64; ++i) c[0][i] = 100;
  const vuint16m1_t left = __riscv_vle16_v_u16m1(&a[0][0], 32);
  const vuint16m1_t right = d1_pack_b(__riscv_vle16_v_u16m1(&b[0][0], 32));
  const vfloat32m4_t sum = d1_mma_bf16(__riscv_vle32_v_f32m4(&c[0][0], 64), left, right);
  __riscv_vse32_v_f32m4(&c[0][0], sum, 64);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j) {
      int expected = 100;
      for (int k = 0; k < 4; ++k) expected += (i - k) * (k + 2 * j);
      assert_true(c[i][j] == (float)expected);
    }
}

static void operands_come_back_as_they_were_packed(void **state) {
  (void)state;
  static uint16_t before[32], after[32];
  for (int i = 0; i < 32; ++i) before[i] = (uint16_t)(i * 7);
  const vuint16m1_t packed = d1_pack_b(__riscv_vle16_v_u16m1(before, 32));
  __riscv_vse16_v_u16m1(after, d1_unpack_b(packed), 32);
  assert_memory_equal(after, before, sizeof before);
  static uint8_t square[64], turned[64];
  for (int i = 0; i < 64; ++i) square[i] = (uint8_t)i;
  __riscv_vse8_v_u8m1(turned, d1_transpose_e8(__riscv_vle8_v_u8m1(square, 64)), 64);
  for (int i = 0; i < 64; ++i) assert_int_equal(turned[i], i % 8 * 8 + i / 8);
}

static void a_put_to_the_own_node_moves_rows_and_posts(void **state) {
  (void)state;
  static uint8_t source[4][32], target[4][64];
  for (int i = 0; i < 128; ++i) source[0][i] = (uint8_t)(i + 1);
  struct d1_transfer transfer;
  memset(&transfer, 0, sizeof transfer);
  transfer.kind = D1_TRANSFER_PUT;
  transfer.local_semaphore = D1_NO_SEMAPHORE;
  transfer.remote_semaphore = 6;
  transfer.row_bytes = 32;
  transfer.rows = 4;
  transfer.local = (uintptr_t)source;
  transfer.remote = d1_grid_address(0, (uint32_t)(uintptr_t)target);
  transfer.local_pitch = 32;
  transfer.remote_pitch = 64;
  d1_xfer(&transfer, 1);
  d1_sem_wait(6, 1);
  for (int row = 0; row < 4; ++row) {
    assert_memory_equal(target[row], source[row], 32);
    for (int i = 32; i < 64; ++i) assert_int_equal(target[row][i], 0);
  }
}

static void barriers_of_one_hart_and_one_node_let_it_go_on(void **state) {
  (void)state;
  d1_bar_node(1);
  d1_bar_grid(1);
}

#else
#define ON_A_NODE(function) {#function, needs_a_node, NULL, NULL, NULL}

static void needs_a_node(void **state) {
  (void)state;
  skip();
}

#endif


int main(void) {
  const struct CMUnitTest tests[] = {
      ON_A_NODE(a_launch_of_one_node_is_rank_0_of_1),
      ON_A_NODE(semaphores_count_what_is_posted_and_give_what_is_there),
      ON_A_NODE(modes_are_what_was_set_until_they_are_reset),
      ON_A_NODE(a_matrix_product_of_whole_numbers_is_exact),
      ON_A_NODE(operands_come_back_as_they_were_packed),
      ON_A_NODE(a_put_to_the_own_node_moves_rows_and_posts),
      ON_A_NODE(barriers_of_one_hart_and_one_node_let_it_go_on)};
  return cmocka_run_group_tests_name("Xd1", tests, NULL, NULL);
}
