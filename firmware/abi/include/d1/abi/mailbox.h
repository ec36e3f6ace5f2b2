/* SPDX-License-Identifier: Apache-2.0
 *
 * The mailbox in every node's SRAM at D1_MAILBOX_ADDRESS: what the DIP tells the dispatch loop at a
 * launch, and what the firmware leaves behind for whoever asks. The DIP writes `launch` and then
 * posts D1_SEMAPHORE_LAUNCH; the node owns it until it posts to D1_DIP_COMPLETION_ADDRESS.
 */
#ifndef D1_ABI_MAILBOX_H
#define D1_ABI_MAILBOX_H

#include <d1/abi/memory_map.h>

#define D1_HARTS 4
#define D1_KERNEL_ARGUMENTS 64       /* 8-byte slots: a0..a7, then the stack, by the lp64d ABI */
#define D1_KERNEL_FLOAT_ARGUMENTS 8  /* fa0..fa7 */

/* One launch as a node sees it. A kernel is an ordinary function; the host has laid its arguments
 * out as the calling convention wants them, and the dispatch loop only loads registers. */
struct d1_launch {
  uint64_t entry;           /* address of the kernel */
  uint64_t id;              /* unique within the device's life */
  uint32_t rank, nodes;     /* in the grid: rank = row * columns + column */
  uint32_t grid_rows, grid_columns;
  uint32_t harts;           /* 1..D1_HARTS run the kernel on this node */
  uint32_t stack_bytes;     /* per hart */
  uint32_t arguments;       /* slots used of argument[] */
  uint32_t float_arguments; /* slots used of float_argument[] */
  uint64_t float_argument[D1_KERNEL_FLOAT_ARGUMENTS];
  uint64_t argument[D1_KERNEL_ARGUMENTS];
};

/* Left by the trap handler; valid when launch_id is that of the launch. */
struct d1_trap_record {
  uint64_t launch_id;
  uint64_t cause, value, pc; /* mcause, mtval, mepc */
  uint64_t ra, sp;
};

struct d1_mailbox {
  struct d1_launch launch;
  struct d1_trap_record trap[D1_HARTS];
};

#endif
