/* SPDX-License-Identifier: Apache-2.0
 * How a buffer is divided over nodes: host and kernels compute it alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <d1/abi/placement.h>

static const uint64_t counts[] = {0, 1, 15, 16, 17, 353, 354, 1000, 100003};
static const uint64_t nodes[] = {1, 2, 18, 354};
static const uint64_t sizes[] = {1, 2, 4, 8, 12, 64, 100};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Each combination of the above. */
static void for_each(void (*check)(uint64_t count, uint64_t nodes, uint64_t bytes)) {
  for (size_t c = 0; c < COUNT_OF(counts); ++c)
    for (size_t n = 0; n < COUNT_OF(nodes); ++n)
      for (size_t s = 0; s < COUNT_OF(sizes); ++s) check(counts[c], nodes[n], sizes[s]);
}

static void check_that_all_are_held(uint64_t count, uint64_t ranks, uint64_t bytes) {
  const uint64_t chunk = d1_shard_chunk(count, ranks, bytes);
  uint64_t held = 0;
  for (uint64_t rank = 0; rank < ranks; ++rank) {
    assert_int_equal(d1_shard_first(count, chunk, rank), held);
    held += d1_shard_size(count, chunk, rank);
  }
  assert_int_equal(held, count);
}

static void every_element_is_on_one_node(void **state) {
  (void)state;
  for_each(check_that_all_are_held);
}

static void check_that_chunks_are_packets(uint64_t count, uint64_t ranks, uint64_t bytes) {
  assert_int_equal(d1_shard_chunk(count, ranks, bytes) * bytes % D1_PLACEMENT_ALIGNMENT, 0);
}

static void chunks_are_whole_packets(void **state) {
  (void)state;
  for_each(check_that_chunks_are_packets);
}

static void chunks_are_no_larger_than_they_must_be(void **state) {
  (void)state;
  assert_int_equal(d1_shard_chunk(354, 354, 64), 1);
  assert_int_equal(d1_shard_chunk(354, 354, 4), 16);
  assert_int_equal(d1_shard_chunk(100000, 354, 4), 288);
  assert_int_equal(d1_shard_chunk(355, 354, 12), 16);
}

int main(void) {
  const struct CMUnitTest placement[] = {
      cmocka_unit_test(every_element_is_on_one_node),
      cmocka_unit_test(chunks_are_whole_packets),
      cmocka_unit_test(chunks_are_no_larger_than_they_must_be),
  };
  return cmocka_run_group_tests_name("Placement", placement, NULL, NULL);
}
