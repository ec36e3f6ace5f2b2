/* SPDX-License-Identifier: Apache-2.0
 *
 * The debug interface of a device: what tools see of it, and do to it, beside its host. It takes no
 * queue, register or interrupt of the host's, so any number of tools may use it at once, also while
 * a host has the device, or nobody.
 *
 * A tool sends a struct d1_debug_request with `bytes` bytes of data behind it and gets a struct
 * d1_debug_answer with data. Each request is carried out between two quanta of the machine; what it
 * answers is the state at that moment, which `cycle` tells. Requests that only look change nothing:
 * not results, not emulated time. Those that write say so in their line here; whoever watches a
 * machine that was written to sees another run.
 *
 * A wrong request gets a status other than 0 with a sentence for people as data, and changes
 * nothing. Numbers are in the host's byte order. Places: die and node as in d1/abi/memory_map.h.
 */
#ifndef D1_ABI_DEBUG_H
#define D1_ABI_DEBUG_H

#include <stdint.h>

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>
#include <d1/abi/registers.h>

#define D1_DEBUG_MAGIC 0x67756264u /* "dbug" */
#define D1_DEBUG_VERSION 1u
#define D1_DEBUG_MAX_BYTES 0x4000000u /* of data of a request or an answer */

enum d1_debug_verb {
  D1_DEBUG_MACHINE = 1,   /* struct d1_debug_machine */
  D1_DEBUG_NODES = 2,     /* struct d1_debug_node for each usable node, by die and node */
  D1_DEBUG_HARTS = 3,     /* struct d1_debug_hart for each hart not in reset of the nodes whose
                             uint32_t die << 16 | node are the data; without data: of all nodes */
  D1_DEBUG_REGISTERS = 4, /* [0] die, [1] node, [2] hart: struct d1_debug_registers, then `csrs`
                             times struct d1_debug_csr */
  D1_DEBUG_SET_REGISTER = 5, /* writes. [0] die, [1] node, [2] hart, [3] enum d1_debug_register_set
                             << 16 | number; data: its value (8 bytes, of a vector register 64) */
  D1_DEBUG_READ = 6,      /* [0] device address, [1] bytes: those */
  D1_DEBUG_WRITE = 7,     /* writes. [0] device address; data: the bytes */
  D1_DEBUG_NODE = 8,      /* [0] die, [1] node: struct d1_debug_node_state */
  D1_DEBUG_LAUNCHES = 9,  /* struct d1_debug_launch for each that has not ended */
  D1_DEBUG_QUEUES = 10,   /* struct d1_debug_queue for each enabled queue */
  D1_DEBUG_PROGRAMS = 11, /* struct d1_debug_program for each program that a node has */
  D1_DEBUG_ELF = 12,      /* [0] d1_debug_program.id: the ELF file it came from, if known, else
                             nothing */
  D1_DEBUG_HALT = 13,     /* emulated time stands still until as many D1_DEBUG_CONTINUE have come,
                             or the tool that halted has gone; d1_debug_machine.halts */
  D1_DEBUG_CONTINUE = 14,
  D1_DEBUG_STUCK = 15     /* struct d1_debug_verdict, then `waits` times struct d1_debug_wait */
};

struct d1_debug_request {
  uint32_t magic; /* D1_DEBUG_MAGIC */
  uint32_t verb;  /* enum d1_debug_verb */
  uint64_t bytes; /* of data behind this */
  uint64_t argument[4];
};

struct d1_debug_answer {
  uint32_t magic;
  uint32_t status; /* 0, else 1 + the number of a d1::ErrorKind, and data is the sentence */
  uint64_t bytes;
  uint64_t cycle;  /* emulated time of what it says */
};

#define D1_DEBUG_HAS_HOST 1u  /* d1_debug_machine.flags: a host has enabled the device */
#define D1_DEBUG_RUNNING 2u   /* nodes can run */
struct d1_debug_machine {
  uint32_t version; /* D1_DEBUG_VERSION */
  uint32_t flags;
  uint32_t die_rows, die_columns;
  uint32_t node_rows, node_columns; /* of a die's mesh, missing nodes included */
  uint32_t nodes;                   /* usable */
  uint32_t halts;                   /* that hold the machine now */
  uint64_t hbm_bytes, clock_hz;
  uint64_t instructions;            /* retired since power-on */
  uint64_t packets, packet_bytes;   /* sent since power-on */
  uint32_t process, reserved;       /* on the host, that emulates */
  char name[64];                    /* of the machine, ends with 0 */
};

enum d1_debug_unit { /* d1_debug_node.unit_cycles */
  D1_DEBUG_UNIT_ISSUE = 0,
  D1_DEBUG_UNIT_ALU = 1,
  D1_DEBUG_UNIT_ADDRESS = 2,
  D1_DEBUG_UNIT_SIMD = 3,
  D1_DEBUG_UNIT_MATRIX = 4,
  D1_DEBUG_UNIT_LOAD = 5,
  D1_DEBUG_UNIT_STORE = 6,
  D1_DEBUG_UNITS = 7
};

struct d1_debug_node {
  uint16_t die, node;
  uint8_t hart_status[D1_HARTS]; /* enum d1_hart_status */
  uint8_t wait_kind[D1_HARTS];   /* enum d1_wait_kind, where parked */
  uint8_t held;                  /* a bit for each hart that a fault holds */
  uint8_t reserved[7];
  uint32_t rank;                 /* in its launch */
  uint64_t launch;               /* its id; 0: none */
  uint64_t program;              /* d1_debug_program.id; 0: none */
  uint64_t cycle;                /* of the hart that is ahead */
  uint64_t instructions;         /* retired since power-on */
  uint64_t unit_cycles[D1_DEBUG_UNITS]; /* busy since power-on */
};

struct d1_debug_hart {
  struct d1_hart_report report;
  uint64_t instructions; /* retired since power-on */
  uint64_t program;      /* d1_debug_program.id of the node; 0: none */
  uint64_t launch;       /* id; 0: none */
};

enum d1_debug_register_set {
  D1_DEBUG_SET_X = 0,
  D1_DEBUG_SET_F = 1,
  D1_DEBUG_SET_V = 2,
  D1_DEBUG_SET_CSR = 3,
  D1_DEBUG_SET_PC = 4
};

struct d1_debug_csr {
  uint32_t number, reserved;
  uint64_t value;
};

struct d1_debug_registers {
  uint64_t pc, x[32], f[32];
  uint8_t v[32][64];
  uint32_t csrs, reserved; /* that follow */
};

struct d1_debug_transfers { /* of a hart */
  uint32_t local_pending, far_pending; /* whose end is not known yet */
  uint64_t local_done, far_done;       /* cycle at which the others are over */
};

struct d1_debug_node_state {
  struct d1_debug_node node;
  uint32_t semaphores[64];
  uint32_t node_barrier, grid_barrier; /* a bit for each hart that arrived */
  struct d1_debug_transfers transfers[D1_HARTS];
  struct d1_launch mailbox;            /* the latest launch's, as the node has it */
};

struct d1_debug_launch {
  uint64_t id, entry;
  uint64_t program; /* d1_debug_program.id of its first node */
  uint64_t start_cycle;
  uint32_t nodes, outstanding; /* the latter have not completed */
  uint32_t grid_rows, grid_columns;
  uint32_t harts, queue;
  uint32_t first_die, first_node; /* of rank 0 */
};

struct d1_debug_queue {
  uint32_t queue, entries;
  uint32_t depth;          /* commands rung for and not yet fetched */
  uint32_t unread;         /* completions that the host has not taken */
  uint8_t busy;            /* a command is under way: */
  uint8_t opcode;          /* its enum d1_opcode */
  uint16_t id;             /* its number */
  uint32_t reserved;
  uint64_t started_cycle;
  uint64_t completed;      /* commands, since the queue was enabled */
};

struct d1_debug_program {
  uint64_t id;          /* never again for another program in the device's life */
  uint64_t base, bytes; /* of its code in a node's SRAM */
  uint64_t elf_bytes;   /* 0: nobody told */
  uint32_t nodes, reserved;
};

/* Whether what has been launched can ever end. A launch stands where one of its harts waits and
 * nobody and nothing in the machine can ever let it go on: who could is waiting just so or has
 * ended the kernel, nothing is on its way, no fault is in force, and no command in a queue could do
 * it. Only the host could, and has not said that it will (D1_LAUNCH_HOST_INTERACTIVE). What merely
 * runs for ever moves. */
enum d1_debug_state {
  D1_DEBUG_IDLE = 0,  /* nothing has been launched */
  D1_DEBUG_MOVES = 1, /* it may end: something runs, or may still happen */
  D1_DEBUG_STANDS = 2 /* a launch can never end by itself */
};

struct d1_debug_verdict {
  uint32_t state;             /* enum d1_debug_state: of the launch asked about, or of all */
  uint32_t waits;             /* that follow */
  uint64_t runnable_harts;    /* of the machine: that can run now */
  uint64_t packets_in_flight; /* that the network holds back */
  uint64_t packets;           /* sent since power-on */
  /* What else may let somebody go on: */
  uint32_t held_harts;        /* by faults */
  uint32_t faults;            /* in force, or still to come */
  uint32_t commands;          /* queues with a command that can still act on nodes */
  uint32_t host_interactive;  /* launches declared so */
};

enum d1_debug_wait_state {
  D1_DEBUG_WAIT_RUNS = 0,
  D1_DEBUG_WAIT_HELD = 1,  /* it could run, but a fault holds it */
  D1_DEBUG_WAIT_WAITS = 2,
  D1_DEBUG_WAIT_ENDED = 3, /* the kernel; hart 0 then waits for its node's others */
  D1_DEBUG_WAIT_STOPPED = 4
};

/* A hart of a node that has not completed its launch, and for whom it waits: the first of those
 * whose arrival a barrier misses. Who should post a semaphore nobody knows. */
struct d1_debug_wait {
  uint32_t die, node;
  uint8_t hart, kind;   /* kind: enum d1_wait_kind */
  uint8_t state, stuck; /* enum d1_debug_wait_state; 1: it can never go on */
  uint32_t rank;
  uint64_t launch;      /* its id */
  uint64_t index, amount; /* as in d1_hart_report; grid barrier: index 1 if its node has arrived */
  uint64_t value;       /* semaphore: counts there; barriers: harts of its node that have arrived */
  uint64_t pc;
  uint32_t missing;     /* node barrier: harts; grid barrier whose node has arrived: nodes
                           that have not completed */
  uint32_t for_die, for_node, for_hart; /* for_hart: D1_HARTS where none is known */
};

D1_ASSERT_SIZE(d1_debug_request, 48);
D1_ASSERT_SIZE(d1_debug_answer, 24);
D1_ASSERT_SIZE(d1_debug_registers, 8 + 256 + 256 + 2048 + 8);

#endif
