/* SPDX-License-Identifier: Apache-2.0
 * The C interface, as a program in C uses it. */
#define _DEFAULT_SOURCE 1 /* fileno() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <d1/d1.h>

#define assert_ok(call)                                                               \
  do {                                                                                \
    if ((call) != D1_OK) fail_msg("%s: %s", #call, d1_last_error());                    \
  } while (0)

enum { COUNT = 1000, BYTES = COUNT * sizeof(float) };

/* What most tests begin with. */
struct session {
  d1_device_t device;
  d1_grid_t grid;
  d1_stream_t stream;
  d1_program_t program;
  d1_buffer_t values;
};

static int open_session(void **state) {
  static struct session session;
  memset(&session, 0, sizeof session);
  *state = &session;
  assert_ok(d1_device_open("d1", &session.device));
  assert_ok(d1_grid_all(session.device, &session.grid));
  assert_ok(d1_stream_create(session.device, &session.stream));
  assert_ok(d1_program_load(session.device, D1_TEST_PROGRAM, &session.program));
  assert_ok(d1_buffer_create(session.device, D1_SHARDED, COUNT, sizeof(float), NULL, 0,
                             &session.values));
  return 0;
}

static int close_session(void **state) {
  struct session *session = *state;
  d1_buffer_release(session->values);
  d1_program_release(session->program);
  d1_stream_release(session->stream);
  d1_grid_release(session->grid);
  d1_device_release(session->device);
  return 0;
}

static void device_has_354_nodes_at_2_ghz(void **state) {
  const struct session *session = *state;
  assert_int_equal(d1_device_nodes(session->device), 354);
  assert_int_equal(d1_grid_nodes(session->grid), 354);
  assert_int_equal(d1_device_clock_hz(session->device), 2000000000);
}

static void null_handles_and_outputs_are_errors_and_not_crashes(void **state) {
  (void)state;
  assert_int_equal(d1_device_open(NULL, NULL), D1_ERROR_INVALID);
  d1_grid_t grid = NULL;
  assert_int_equal(d1_grid_all(NULL, &grid), D1_ERROR_INVALID);
  assert_null(grid);
  assert_non_null(strstr(d1_last_error(), "d1_grid_all was given a null"));
  assert_int_equal(d1_kernel_launch(NULL, NULL, NULL, NULL, 0, NULL, NULL), D1_ERROR_INVALID);
  assert_int_equal(d1_launch_wait(NULL, 1), D1_ERROR_INVALID);
  d1_device_release(NULL);
  d1_launch_release(NULL);
}

static void buffers_copy_there_and_back(void **state) {
  const struct session *session = *state;
  static float in[COUNT], out[COUNT];
  for (int i = 0; i < COUNT; ++i) in[i] = (float)(i * i);
  d1_buffer_t hbm = NULL;
  assert_ok(d1_buffer_create(session->device, D1_HBM, BYTES, 1, NULL, 0, &hbm));
  assert_int_equal(d1_buffer_bytes(hbm), BYTES);
  assert_ok(d1_copy_in(session->stream, session->values, 0, in, BYTES, NULL));
  assert_ok(d1_copy_buffer(session->stream, hbm, 0, session->values, 0, BYTES, NULL));
  assert_ok(d1_fill_buffer(session->stream, hbm, 0, 8, 0x40e00000, 4, NULL));
  d1_launch_t last = NULL;
  assert_ok(d1_copy_out(session->stream, out, hbm, 0, BYTES, &last));
  assert_ok(d1_launch_wait(last, D1_FOREVER));
  in[0] = in[1] = 7;
  assert_memory_equal(out, in, BYTES);
  d1_launch_release(last);
  d1_buffer_release(hbm);
}

static void files_go_to_the_device_and_back(void **state) {
  const struct session *session = *state;
  static float in[COUNT], out[COUNT];
  for (int i = 0; i < COUNT; ++i) in[i] = (float)(3 * i);
  FILE *from = tmpfile(), *to = tmpfile();
  assert_non_null(from);
  assert_non_null(to);
  assert_int_equal(fwrite(in, 1, BYTES, from), BYTES);
  assert_int_equal(fflush(from), 0);
  assert_ok(d1_read_file(session->stream, session->values, 0, fileno(from), 0, BYTES, NULL));
  assert_ok(d1_write_file(session->stream, fileno(to), 8, session->values, 0, BYTES, NULL));
  assert_ok(d1_stream_synchronize(session->stream, D1_FOREVER));
  assert_int_equal(fseek(to, 8, SEEK_SET), 0);
  assert_int_equal(fread(out, 1, BYTES, to), BYTES);
  assert_memory_equal(out, in, BYTES);
  assert_int_equal(
      d1_read_file(session->stream, session->values, 0, -1, 0, BYTES, NULL), D1_ERROR_INVALID);
  fclose(from);
  fclose(to);
}

static void a_copy_past_a_buffers_end_is_refused(void **state) {
  const struct session *session = *state;
  static float out[COUNT + 1];
  assert_int_equal(d1_copy_out(session->stream, out, session->values, sizeof(float), BYTES, NULL),
                   D1_ERROR_INVALID);
  assert_true(strlen(d1_last_error()) > 20);
}

static void a_kernel_gets_its_arguments(void **state) {
  const struct session *session = *state;
  static float values[COUNT];
  for (int i = 0; i < COUNT; ++i) values[i] = (float)i;
  d1_kernel_t scale = NULL;
  assert_ok(d1_kernel_get(session->program, "scale", &scale));
  assert_ok(d1_copy_in(session->stream, session->values, 0, values, BYTES, NULL));
  const d1_argument_t arguments[] = {d1_buffer(session->values), d1_real(2), d1_int(-3)};
  d1_launch_t launch = NULL;
  assert_ok(d1_kernel_launch(session->stream, scale, session->grid, arguments, 3, NULL, &launch));
  assert_ok(d1_launch_wait(launch, D1_FOREVER));
  assert_true(d1_launch_cycles(launch) > 0);
  assert_ok(d1_copy_out(session->stream, values, session->values, 0, BYTES, NULL));
  assert_ok(d1_stream_synchronize(session->stream, D1_FOREVER));
  for (int i = 0; i < COUNT; ++i) assert_float_equal(values[i], (float)(2 * i - 3), 0);
  d1_launch_release(launch);
  d1_kernel_release(scale);
}

static void a_wrong_number_of_arguments_is_refused(void **state) {
  const struct session *session = *state;
  d1_kernel_t scale = NULL;
  assert_ok(d1_kernel_get(session->program, "scale", &scale));
  const d1_argument_t arguments[] = {d1_buffer(session->values)};
  assert_int_equal(
      d1_kernel_launch(session->stream, scale, session->grid, arguments, 1, NULL, NULL),
      D1_ERROR_INVALID);
  assert_non_null(strstr(d1_last_error(), "scale"));
  d1_kernel_release(scale);
}

static void a_trap_is_a_code_and_a_sentence(void **state) {
  const struct session *session = *state;
  d1_kernel_t traps = NULL;
  assert_ok(d1_kernel_get(session->program, "traps", &traps));
  d1_launch_t launch = NULL;
  assert_ok(d1_kernel_launch(session->stream, traps, session->grid, NULL, 0, NULL, &launch));
  assert_int_equal(d1_launch_wait(launch, D1_FOREVER), D1_ERROR_KERNEL_TRAP);
  assert_non_null(strstr(d1_last_error(), "scale.cpp"));
  d1_launch_release(launch);
  d1_kernel_release(traps);
}

static void a_deadlock_is_a_code_and_a_sentence(void **state) {
  const struct session *session = *state;
  d1_kernel_t waits = NULL;
  assert_ok(d1_kernel_get(session->program, "waits", &waits));
  d1_launch_t launch = NULL;
  assert_ok(d1_kernel_launch(session->stream, waits, session->grid, NULL, 0, NULL, &launch));
  assert_int_equal(d1_launch_wait(launch, D1_FOREVER), D1_ERROR_DEADLOCK);
  assert_non_null(strstr(d1_last_error(), "can never end"));
  assert_non_null(strstr(d1_last_error(), "scale.cpp"));
  d1_launch_release(launch);
  /* One that the program says it will let go on waits for that, up to its time-out. */
  const d1_launch_options_t options = {.timeout_ms = 500, .host_interactive = 1};
  assert_ok(d1_kernel_launch(session->stream, waits, session->grid, NULL, 0, &options, &launch));
  assert_int_equal(d1_launch_wait(launch, D1_FOREVER), D1_ERROR_TIMEOUT);
  d1_launch_release(launch);
  d1_kernel_release(waits);
}

static void events_give_times_once_reached(void **state) {
  const struct session *session = *state;
  d1_event_t event = NULL;
  assert_ok(d1_event_create(session->device, &event));
  uint64_t cycle = UINT64_MAX;
  /* Never recorded: there is no time, and nothing would end a wait. */
  assert_int_equal(d1_event_cycle(event, &cycle), D1_ERROR_INVALID);
  assert_int_equal(d1_stream_wait_event(session->stream, event), D1_ERROR_INVALID);
  assert_ok(d1_event_record(session->stream, event));
  assert_ok(d1_event_wait(event, D1_FOREVER));
  assert_ok(d1_event_cycle(event, &cycle));
  assert_true(cycle != UINT64_MAX);
  d1_event_release(event);
}

static void an_unknown_kernel_is_named(void **state) {
  const struct session *session = *state;
  d1_kernel_t kernel = NULL;
  assert_int_equal(d1_kernel_get(session->program, "no_such_kernel", &kernel), D1_ERROR_INVALID);
  assert_null(kernel);
  assert_non_null(strstr(d1_last_error(), "no_such_kernel"));
}

static void an_unknown_machine_is_a_code_and_a_sentence(void **state) {
  (void)state;
  d1_device_t device = NULL;
  assert_int_equal(d1_device_open("no-such-machine", &device), D1_ERROR_INVALID);
  assert_null(device);
  assert_non_null(strstr(d1_last_error(), "no-such-machine"));
}

static void objects_may_be_released_in_any_order(void **state) {
  (void)state;
  d1_device_t device = NULL;
  d1_stream_t stream = NULL;
  d1_buffer_t buffer = NULL;
  assert_ok(d1_device_open("d1", &device));
  assert_ok(d1_stream_create(device, &stream));
  assert_ok(d1_buffer_create(device, D1_HBM, 8, 1, NULL, 0, &buffer));
  d1_device_release(device);
  uint64_t value = 0;
  assert_ok(d1_fill_buffer(stream, buffer, 0, 8, 5, 8, NULL));
  assert_ok(d1_copy_out(stream, &value, buffer, 0, 8, NULL));
  assert_ok(d1_stream_synchronize(stream, D1_FOREVER));
  assert_int_equal(value, 5);
  d1_stream_release(stream);
  d1_buffer_release(buffer);
}

int main(void) {
  const struct CMUnitTest with_a_device[] = {
      cmocka_unit_test(device_has_354_nodes_at_2_ghz),
      cmocka_unit_test(buffers_copy_there_and_back),
      cmocka_unit_test(files_go_to_the_device_and_back),
      cmocka_unit_test(a_copy_past_a_buffers_end_is_refused),
      cmocka_unit_test(a_kernel_gets_its_arguments),
      cmocka_unit_test(a_wrong_number_of_arguments_is_refused),
      cmocka_unit_test(a_trap_is_a_code_and_a_sentence),
      cmocka_unit_test(a_deadlock_is_a_code_and_a_sentence),
      cmocka_unit_test(events_give_times_once_reached),
      cmocka_unit_test(an_unknown_kernel_is_named),
  };
  const struct CMUnitTest alone[] = {
      cmocka_unit_test(null_handles_and_outputs_are_errors_and_not_crashes),
      cmocka_unit_test(an_unknown_machine_is_a_code_and_a_sentence),
      cmocka_unit_test(objects_may_be_released_in_any_order),
  };
  int failed = cmocka_run_group_tests_name("CApi", with_a_device, open_session, close_session);
  failed += cmocka_run_group_tests_name("CApiAlone", alone, NULL, NULL);
  return failed;
}
