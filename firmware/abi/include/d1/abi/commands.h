/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands (64 bytes) and completions (32 bytes) of the device's queues, in the manner of NVMe:
 * rings in host memory, doorbells, a phase bit that flips with each turn of the completion ring.
 *
 * Order: the commands of one queue start in order, each after the one before it has completed;
 * queues run side by side. D1_COMMAND_SIGNAL and D1_COMMAND_WAIT order queues against each other.
 * A bad command completes with a status and changes nothing; the queue goes on.
 *
 * Memory operands are device addresses (d1/abi/memory_map.h: HBM, or a node's SRAM) or, where a
 * field says so, I/O addresses: host memory through the DMA map. Nothing else is reached.
 */
#ifndef D1_ABI_COMMANDS_H
#define D1_ABI_COMMANDS_H

#include <stdint.h>

enum d1_opcode {
  D1_COMMAND_FENCE = 0x00,   /* completes when all before it has (so at once) */
  D1_COMMAND_COPY = 0x01,    /* struct d1_copy */
  D1_COMMAND_GRID = 0x02,    /* struct d1_grid_command: defines or frees a grid */
  D1_COMMAND_PROGRAM = 0x03, /* struct d1_program: loads bytes on all nodes of a grid */
  D1_COMMAND_LAUNCH = 0x04,  /* struct d1_launch_command */
  D1_COMMAND_ABORT = 0x05,   /* struct d1_abort */
  D1_COMMAND_SEMAPHORE = 0x06, /* struct d1_semaphore_command */
  D1_COMMAND_SIGNAL = 0x07,  /* struct d1_event_command: event := max(event, value) */
  D1_COMMAND_WAIT = 0x08,    /* struct d1_event_command: until event >= value */
  D1_COMMAND_RESET = 0x09,   /* struct d1_reset: nodes of a grid back to the boot ROM */
  D1_COMMAND_QUERY = 0x0a,   /* struct d1_query: reports into host memory */
  D1_COMMAND_FILL = 0x0b     /* struct d1_fill */
};

/* Names for people: X(opcode, name) for each. */
#define D1_COMMAND_NAMES(X)                                                                \
  X(D1_COMMAND_FENCE, "fence") X(D1_COMMAND_COPY, "copy") X(D1_COMMAND_GRID, "grid")         \
  X(D1_COMMAND_PROGRAM, "program") X(D1_COMMAND_LAUNCH, "launch") X(D1_COMMAND_ABORT, "abort") \
  X(D1_COMMAND_SEMAPHORE, "semaphore") X(D1_COMMAND_SIGNAL, "signal")                        \
  X(D1_COMMAND_WAIT, "wait") X(D1_COMMAND_RESET, "reset") X(D1_COMMAND_QUERY, "query")       \
  X(D1_COMMAND_FILL, "fill")

/* Every command begins so. */
struct d1_command_header {
  uint8_t opcode; /* enum d1_opcode */
  uint8_t flags;  /* per command; unknown bits must be 0 */
  uint16_t id;    /* chosen by the host, echoed in the completion */
  uint32_t grid;  /* grid handle where the command takes one, else 0 */
};

#define D1_GRIDS 256u /* handles 0 .. D1_GRIDS - 1; handle 0 is predefined: all usable nodes */
#define D1_EVENTS 4096u

/* d1_copy.flags: what source and destination are. */
#define D1_COPY_FROM_HOST 1u  /* source is an I/O address */
#define D1_COPY_TO_HOST 2u    /* destination is an I/O address */
#define D1_COPY_BROADCAST 4u  /* destination: the SRAM offset on every node of the grid */
#define D1_COPY_SCATTER 8u    /* to SRAM offset; rank r gets the source at r * rank_bytes */
#define D1_COPY_GATHER 16u    /* source: SRAM offset; rank r's rows go to r * rank_bytes */

/* rows * row_bytes bytes, 2D with pitches. For SCATTER and GATHER the linear side holds
 * rank_bytes per rank and `total_bytes` in all: the last ranks may have less or nothing. */
struct d1_copy {
  struct d1_command_header header;
  uint64_t source, destination;
  uint64_t row_bytes;
  uint64_t source_pitch, destination_pitch; /* SCATTER, GATHER: source_pitch = total_bytes */
  uint32_t rows;
  uint32_t rank_bytes;
  uint64_t reserved;
};

struct d1_fill {
  struct d1_command_header header;
  uint64_t destination; /* device address, or SRAM offset of every node with D1_COPY_BROADCAST */
  uint64_t bytes;       /* a multiple of pattern_bytes */
  uint64_t pattern;
  uint32_t pattern_bytes; /* 1, 2, 4 or 8 */
  uint32_t reserved0;
  uint64_t reserved[3];
};

#define D1_GRID_DEFINE 1u /* flags: define the handle (else free it) */
#define D1_GRID_ALL 2u    /* flags: every usable node, 1 x N */
/* Row r of a grid is mesh row first_row + r of the DPU; column c is its c-th usable node counted
 * from mesh column first_column. */
struct d1_grid_command {
  struct d1_command_header header;
  uint32_t first_row, first_column, rows, columns;
  uint64_t reserved[5];
};

#define D1_ELF_MAX_BYTES 0x4000000u
#define D1_PROGRAM_EXECUTABLE 1u /* flags: take the instruction snapshot of [offset, + bytes) */
struct d1_program {
  struct d1_command_header header;
  uint64_t source;       /* I/O address of file_bytes bytes */
  uint64_t file_bytes;   /* copied */
  uint64_t memory_bytes; /* >= file_bytes; the rest is zeroed */
  uint64_t offset;       /* SRAM offset */
  uint64_t elf;          /* with D1_PROGRAM_EXECUTABLE: I/O address of the ELF file it is from, */
  uint64_t elf_bytes;    /* which tools will want (d1/abi/debug.h), and its size, D1_ELF_MAX_BYTES
                            at most; 0: none */
  uint64_t reserved;
};

/* d1_launch_command.flags: while it runs the host will post semaphores, write memory, or launch
 * something that does. Without it D1_QUERY_WAITS may say that the launch can never end, though a
 * later command of the host's could have let it go on. */
#define D1_LAUNCH_HOST_INTERACTIVE 1u

/* The kernel's arguments lie in host memory as struct d1_launch (mailbox.h); the DIP fills in
 * id, rank, nodes, grid_rows and grid_columns for each node. */
struct d1_launch_command {
  struct d1_command_header header;
  uint64_t launch;       /* I/O address of a struct d1_launch */
  uint64_t report;       /* I/O address of a struct d1_launch_report, or 0 */
  uint64_t cycle_limit;  /* emulated cycles after which the launch fails; 0: none */
  uint64_t reserved[4];
};

struct d1_abort {
  struct d1_command_header header;
  uint32_t queue; /* of the command to give up */
  uint32_t command_id;
  uint64_t reserved[6];
};

struct d1_semaphore_command {
  struct d1_command_header header;
  uint64_t target; /* node address whose offset is the semaphore's number; with D1_COPY_BROADCAST
                      that number alone, for every node of the grid */
  uint64_t count;
  uint64_t reserved[5];
};

struct d1_event_command {
  struct d1_command_header header;
  uint32_t event; /* < D1_EVENTS */
  uint32_t reserved0;
  uint64_t value;
  uint64_t reserved[5];
};

struct d1_reset {
  struct d1_command_header header;
  uint64_t reserved[7];
};

enum d1_query_kind {
  D1_QUERY_HARTS = 1,    /* struct d1_hart_report for every hart of the grid not in reset */
  D1_QUERY_TOPOLOGY = 2, /* uint32_t die << 16 | node for each rank of the grid */
  D1_QUERY_COUNTERS = 3, /* struct d1_counters, summed over the grid */
  D1_QUERY_WAITS = 4     /* whether d1_query.launch can ever end, and who waits for whom: struct
                            d1_debug_verdict, then `waits` times struct d1_debug_wait (debug.h), as
                            many as there is room for; D1_STATUS_NOT_FOUND: no such launch */
};

struct d1_query {
  struct d1_command_header header;
  uint64_t destination; /* I/O address */
  uint64_t bytes;       /* room; the completion's detail is what a full answer needs */
  uint32_t kind;        /* enum d1_query_kind */
  uint32_t launch;      /* D1_QUERY_WAITS: its queue << 16 | its command's id; else 0 */
  uint64_t reserved[4];
};

enum d1_status {
  D1_STATUS_OK = 0,
  D1_STATUS_BAD_OPCODE = 1,
  D1_STATUS_BAD_FIELD = 2,     /* detail: byte offset of the offending field in the command */
  D1_STATUS_BAD_ADDRESS = 3,   /* detail: the device address */
  D1_STATUS_DMA_FAULT = 4,     /* detail: the I/O address */
  D1_STATUS_BAD_GRID = 5,      /* detail: the handle, or the grid row with too few nodes */
  D1_STATUS_BUSY = 6,          /* a node of the grid runs another launch; detail: its rank */
  D1_STATUS_TRAP = 7,          /* detail: rank of the first node that trapped */
  D1_STATUS_TIMEOUT = 8,       /* cycle_limit reached */
  D1_STATUS_ABORTED = 9,       /* by D1_COMMAND_ABORT, a reset, or a disabled queue */
  D1_STATUS_NOT_FOUND = 10,    /* abort, D1_QUERY_WAITS: no such command in flight */
  D1_STATUS_MEMORY_ERROR = 11, /* an uncorrected error in what was to be read; detail: the device
                                  address of the first such byte */
  D1_STATUS_DMA_ERROR = 12,    /* the transfer over PCIe broke off; detail: the command's opcode.
                                  What it should have written is undefined */
  D1_STATUS_UNREACHABLE = 13   /* a die that the command needs is lost; detail: its number */
};

struct d1_completion {
  uint64_t start_cycle, end_cycle; /* emulated time at which the command began and ended */
  uint64_t detail;                 /* see enum d1_status */
  uint16_t id;                     /* of the command */
  uint16_t head;                   /* submission entries fetched so far, modulo entries */
  uint16_t status;                 /* enum d1_status */
  uint16_t phase;                  /* 1 in the first turn of the ring, then 0, then 1 ... */
};

struct d1_launch_report {
  uint64_t launch_id;
  uint64_t start_cycle, end_cycle;
  uint64_t instructions;           /* retired by the launch, all harts */
  uint64_t matrix_cycles;          /* busy cycles of the matrix units, all nodes */
  uint64_t matrix_cycles_min, matrix_cycles_max; /* of the least and most busy node */
  uint32_t failed_die, failed_node, failed_hart, failed; /* failed: 1 if a hart trapped */
  uint64_t cause, value, pc, ra, sp; /* of that hart */
};

enum d1_hart_status {
  D1_HART_RESET = 0,
  D1_HART_RUNNABLE = 1,
  D1_HART_PARKED = 2,
  D1_HART_STOPPED = 3
};

enum d1_wait_kind {
  D1_WAIT_NONE = 0,
  D1_WAIT_SEMAPHORE = 1,
  D1_WAIT_NODE_BARRIER = 2,
  D1_WAIT_GRID_BARRIER = 3,
  D1_WAIT_REMOTE_ACCESS = 4, /* a load, store or atomic on another node */
  D1_WAIT_TRANSFER = 5,      /* d1.xfer.wait, or a fence that waits for puts */
  D1_WAIT_INTERRUPT = 6      /* wfi */
};

struct d1_hart_report {
  uint32_t die, node, rank;
  uint8_t hart, status, wait_kind, reserved; /* enum d1_hart_status, d1_wait_kind */
  uint64_t pc, ra, sp;
  uint64_t wait_index, wait_amount, wait_value; /* semaphore: number, count wanted, count there */
  uint64_t wait_since, cycle;
};

struct d1_counters {
  uint64_t instructions, cycles_max;
  uint64_t matrix_cycles, simd_cycles;
  uint64_t packets_sent, bytes_sent;
};

#ifdef __cplusplus
#define D1_ASSERT_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), #type)
#else
#define D1_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
#endif
D1_ASSERT_SIZE(d1_copy, 64);
D1_ASSERT_SIZE(d1_fill, 64);
D1_ASSERT_SIZE(d1_grid_command, 64);
D1_ASSERT_SIZE(d1_program, 64);
D1_ASSERT_SIZE(d1_launch_command, 64);
D1_ASSERT_SIZE(d1_abort, 64);
D1_ASSERT_SIZE(d1_semaphore_command, 64);
D1_ASSERT_SIZE(d1_event_command, 64);
D1_ASSERT_SIZE(d1_reset, 64);
D1_ASSERT_SIZE(d1_query, 64);
D1_ASSERT_SIZE(d1_completion, 32);

#endif
