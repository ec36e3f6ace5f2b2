/* SPDX-License-Identifier: Apache-2.0
 * c = a + b on every node of the machine: vector_add_c [KERNEL.cpp] */
#include <stdio.h>
#include <stdlib.h>

#include <d1/d1.h>

static void check(d1_error_t error) {
  if (error != D1_OK) fprintf(stderr, "%s\n", d1_last_error()), exit(1);
}

enum { count = 100000 };
static float a[count], b[count], c[count];

int main(int argc, char** argv) {
  for (int i = 0; i < count; ++i) a[i] = (float)i, b[i] = 0.5f;
  d1_device_t device; d1_grid_t all; d1_program_t program;
  d1_kernel_t add; d1_stream_t stream; d1_buffer_t on[3];
  check(d1_device_open(NULL, &device));
  check(d1_grid_all(device, &all));
  check(d1_program_compile(device, argc > 1 ? argv[1] : "kernels/vector_add.cpp", NULL, &program));
  check(d1_kernel_get(program, "vector_add", &add));
  check(d1_stream_create(device, &stream));
  for (int i = 0; i < 3; ++i)
    check(d1_buffer_create(device, D1_SHARDED, count, sizeof(float), all, 0, &on[i]));
  check(d1_copy_in(stream, on[0], 0, a, sizeof a, NULL));
  check(d1_copy_in(stream, on[1], 0, b, sizeof b, NULL));
  const d1_argument_t on_nodes[] = {d1_buffer(on[0]), d1_buffer(on[1]), d1_buffer(on[2])};
  check(d1_kernel_launch(stream, add, all, on_nodes, 3, NULL, NULL));
  check(d1_copy_out(stream, c, on[2], 0, sizeof c, NULL));
  check(d1_stream_synchronize(stream, D1_FOREVER));
  for (int i = 0; i < count; ++i)
    if (c[i] != a[i] + b[i]) return printf("element %d is wrong: %g\n", i, c[i]), 1;
  printf("%d sums on %llu nodes are right\n", count, (unsigned long long)d1_device_nodes(device));
  for (int i = 0; i < 3; ++i) d1_buffer_release(on[i]);
  d1_stream_release(stream), d1_kernel_release(add), d1_program_release(program);
  d1_grid_release(all), d1_device_release(device);
}
