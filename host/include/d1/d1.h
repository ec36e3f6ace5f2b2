/* SPDX-License-Identifier: Apache-2.0
 *
 * The C API of OpenD1 (C11): the nouns of <d1/d1.hpp> as opaque handles.
 *
 * Errors: every function that can fail returns a d1_error_t; D1_OK is 0. The sentence that explains
 * the last error of the calling thread is d1_last_error(). On an error, outputs are untouched.
 * Ownership: what a *_create, *_open, *_compile, *_load, *_get or launch function returns is
 * released with the matching *_release; releasing NULL does nothing. Objects keep alive what they
 * came from, so they may be released in any order; a buffer must outlive the launches that use it.
 * Threads: any object may be used from any thread. Blocking: the functions with a timeout_ms wait
 * at most that long; D1_FOREVER is an hour. Copies and launches are asynchronous: host memory given
 * to a copy must stay valid until it has ended.
 */
#ifndef D1_D1_H
#define D1_D1_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum d1_error {
  D1_OK = 0,
  D1_ERROR_INVALID = 1,            /* the caller's input is wrong; nothing was changed */
  D1_ERROR_UNSUPPORTED = 2,        /* well formed, but this device or build cannot do it */
  D1_ERROR_RESOURCE_EXHAUSTED = 3, /* memory, queue slots, handles */
  D1_ERROR_TIMEOUT = 4,
  D1_ERROR_CANCELLED = 5,
  D1_ERROR_KERNEL_TRAP = 6,
  D1_ERROR_DEVICE_LOST = 7,
  D1_ERROR_PROTOCOL = 8,
  D1_ERROR_INTERNAL = 9,
  D1_ERROR_HARDWARE = 10,          /* a part of the machine failed; the rest goes on */
  D1_ERROR_DEADLOCK = 11           /* a kernel that can provably never end */
} d1_error_t;

/* What went wrong in the calling thread's last call that failed; "" before the first. */
const char* d1_last_error(void);

typedef struct d1_device_handle* d1_device_t;
typedef struct d1_grid_handle* d1_grid_t;
typedef struct d1_program_handle* d1_program_t;
typedef struct d1_kernel_handle* d1_kernel_t;
typedef struct d1_buffer_handle* d1_buffer_t;
typedef struct d1_stream_handle* d1_stream_t;
typedef struct d1_event_handle* d1_event_t;
typedef struct d1_launch_handle* d1_launch_t; /* a launch, or a copy */

#define D1_FOREVER ((uint64_t)3600 * 1000)

/* ---- Device. A null machine means $D1_MACHINE or "d1". ------------------------------------- */
/* header: this file, by which an installed package finds its kernel SDK wherever it was put. */
d1_error_t d1_device_open_from(const char* header, const char* machine, d1_device_t* device);
static inline d1_error_t d1_device_open(const char* machine, d1_device_t* device) {
  return d1_device_open_from(__FILE__, machine, device);
}
void d1_device_release(d1_device_t device);
uint64_t d1_device_nodes(d1_device_t device);
uint64_t d1_device_clock_hz(d1_device_t device);

/* Every usable node, or a rectangle of the mesh. */
d1_error_t d1_grid_all(d1_device_t device, d1_grid_t* grid);
d1_error_t d1_grid_create(d1_device_t device, uint32_t rows, uint32_t columns, uint32_t first_row,
                          uint32_t first_column, d1_grid_t* grid);
uint64_t d1_grid_nodes(d1_grid_t grid);
void d1_grid_release(d1_grid_t grid);

/* ---- Programs. flags: a NULL-terminated list for the compiler (-I..., -D...), or NULL. ------ */
d1_error_t d1_program_compile(d1_device_t device, const char* source_path, const char* const* flags,
                              d1_program_t* program);
d1_error_t d1_program_load(d1_device_t device, const char* elf_path, d1_program_t* program);
d1_error_t d1_program_load_memory(d1_device_t device, const void* elf, size_t bytes,
                                  d1_program_t* program);
void d1_program_release(d1_program_t program);
d1_error_t d1_kernel_get(d1_program_t program, const char* name, d1_kernel_t* kernel);
void d1_kernel_release(d1_kernel_t kernel);

/* ---- Buffers ------------------------------------------------------------------------------- */
typedef enum d1_placement {
  D1_ON_NODE = 0, /* in the SRAM of the node `rank` of the grid */
  D1_SHARDED = 1, /* divided over the grid's nodes */
  D1_REPLICATED = 2,
  D1_HBM = 3
} d1_placement_t;

/* count elements of element_bytes; a null grid means all nodes. */
d1_error_t d1_buffer_create(d1_device_t device, d1_placement_t placement, size_t count,
                            size_t element_bytes, d1_grid_t grid, uint64_t rank,
                            d1_buffer_t* buffer);
size_t d1_buffer_bytes(d1_buffer_t buffer);
void d1_buffer_release(d1_buffer_t buffer);

/* ---- Streams. `launch` outputs may be NULL. ------------------------------------------------ */
d1_error_t d1_stream_create(d1_device_t device, d1_stream_t* stream);
void d1_stream_release(d1_stream_t stream); /* cancels what is in flight */
/* Until everything submitted so far has ended; the first failure nobody has heard of. */
d1_error_t d1_stream_synchronize(d1_stream_t stream, uint64_t timeout_ms);
/* Bytes [offset, + bytes) of the buffer. */
d1_error_t d1_copy_in(d1_stream_t stream, d1_buffer_t to, size_t offset, const void* from,
                      size_t bytes, d1_launch_t* launch);
d1_error_t d1_copy_out(d1_stream_t stream, void* to, d1_buffer_t from, size_t offset, size_t bytes,
                       d1_launch_t* launch);
/* Bytes [offset, + bytes) of the buffer, from an open file or to it, from its byte `file_offset`
 * on. The file may be closed at once. */
d1_error_t d1_read_file(d1_stream_t stream, d1_buffer_t to, size_t offset, int file,
                        uint64_t file_offset, size_t bytes, d1_launch_t* launch);
d1_error_t d1_write_file(d1_stream_t stream, int file, uint64_t file_offset, d1_buffer_t from,
                         size_t offset, size_t bytes, d1_launch_t* launch);
d1_error_t d1_copy_buffer(d1_stream_t stream, d1_buffer_t to, size_t to_offset, d1_buffer_t from,
                          size_t from_offset, size_t bytes, d1_launch_t* launch);
/* pattern_bytes: 1, 2, 4 or 8, of `pattern`'s low end. */
d1_error_t d1_fill_buffer(d1_stream_t stream, d1_buffer_t to, size_t offset, size_t bytes,
                          uint64_t pattern, uint32_t pattern_bytes, d1_launch_t* launch);

/* ---- Events -------------------------------------------------------------------------------- */
d1_error_t d1_event_create(d1_device_t device, d1_event_t* event);
void d1_event_release(d1_event_t event);
d1_error_t d1_event_record(d1_stream_t stream, d1_event_t event);
d1_error_t d1_stream_wait_event(d1_stream_t stream, d1_event_t event);
d1_error_t d1_event_wait(d1_event_t event, uint64_t timeout_ms);
d1_error_t d1_event_cycle(d1_event_t event, uint64_t* cycle);

/* ---- Launches ------------------------------------------------------------------------------ */
typedef enum d1_argument_kind {
  D1_ARG_INT,
  D1_ARG_UINT,
  D1_ARG_REAL,
  D1_ARG_BUFFER
} d1_argument_kind_t;
typedef struct d1_argument {
  d1_argument_kind_t kind;
  union {
    int64_t signed_value;
    uint64_t unsigned_value;
    double real_value;
    d1_buffer_t buffer;
  } value;
} d1_argument_t;

static inline d1_argument_t d1_int(int64_t value) {
  d1_argument_t argument;
  argument.kind = D1_ARG_INT;
  argument.value.signed_value = value;
  return argument;
}
static inline d1_argument_t d1_uint(uint64_t value) {
  d1_argument_t argument;
  argument.kind = D1_ARG_UINT;
  argument.value.unsigned_value = value;
  return argument;
}
static inline d1_argument_t d1_real(double value) {
  d1_argument_t argument;
  argument.kind = D1_ARG_REAL;
  argument.value.real_value = value;
  return argument;
}
static inline d1_argument_t d1_buffer(d1_buffer_t value) {
  d1_argument_t argument;
  argument.kind = D1_ARG_BUFFER;
  argument.value.buffer = value;
  return argument;
}

typedef struct d1_launch_options {
  uint32_t harts;       /* 1 to 4 on each node; 0: 4 */
  uint32_t stack_bytes; /* of each hart; 0: the default */
  uint64_t timeout_ms;  /* of host time from its start; 0: none */
  uint64_t cycle_limit; /* emulated; 0: none */
  /* Not 0: while it runs the program will post its semaphores, write its memory, or launch
   * something that does. Else one whose harts all wait ends at once as a deadlock. */
  uint32_t host_interactive;
} d1_launch_options_t;

/* Numbers and placements are checked against the kernel's own parameters; the element type of a
 * buffer is not known in C and fits any. options may be NULL. */
d1_error_t d1_kernel_launch(d1_stream_t stream, d1_kernel_t kernel, d1_grid_t grid,
                            const d1_argument_t* arguments, size_t count,
                            const d1_launch_options_t* options, d1_launch_t* launch);
d1_error_t d1_launch_wait(d1_launch_t launch, uint64_t timeout_ms);
/* Once it has ended: emulated cycles it took. */
uint64_t d1_launch_cycles(d1_launch_t launch);
void d1_launch_release(d1_launch_t launch);

#ifdef __cplusplus
}
#endif

#endif
