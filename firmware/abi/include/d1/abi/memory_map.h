/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things are in the 64-bit address space of a node, and how the SRAM of a node is divided.
 * Plain C11, shared by device code, firmware, emulator, driver and runtime. Nothing of this is
 * published for the real machine (d1-facts 10): it is this project's own.
 *
 *   63 62
 *    0  0  this node:   [20:0] offset: SRAM, then the boot ROM
 *    0  1  any node:    [46:31] die, [30:21] node index in the die (row * columns + column),
 *                       [20:0] offset; relative to the DPU and checked at its edge
 *    1  0  HBM:         [43:0] offset in the DPU's memory; bit 61 set: registers of the DIP
 *    1  1  launch grid: [52:21] rank in the node's current launch, [20:0] offset; the NoC
 *                       translates, so kernels need no table of missing nodes
 *
 * For a semaphore post the offset field holds the semaphore's number.
 */
#ifndef D1_ABI_MEMORY_MAP_H
#define D1_ABI_MEMORY_MAP_H

#include <stdint.h>

#define D1_ADDRESS_KIND_SHIFT 62
#define D1_ADDRESS_LOCAL 0
#define D1_ADDRESS_NODE 1
#define D1_ADDRESS_HBM 2
#define D1_ADDRESS_GRID 3

#define D1_OFFSET_BITS 21 /* 1.25 MB < 2^21 (d1-facts 1, local address width) */
#define D1_NODE_BITS 10
#define D1_DIE_BITS 16
#define D1_RANK_BITS 32
#define D1_HBM_BITS 44

#define D1_SRAM_BYTES 0x140000u /* 1.25 MiB, d1-facts 1, P */
#define D1_ROM_BASE 0x1c0000u   /* boot ROM and dispatch loop, one copy shared by all nodes */
#define D1_ROM_BYTES 0x040000u

/* SRAM of a node. */
#define D1_NULL_BYTES 0x100u        /* accesses fault, so a null pointer traps */
#define D1_MAILBOX_ADDRESS 0x100u   /* struct d1_mailbox */
#define D1_SYSTEM_BYTES 0x1000u     /* the first page belongs to the system */
#define D1_PROGRAM_BASE 0x1000u     /* programs are linked here; the heap follows their end */
#define D1_STACK_BYTES 0x4000u      /* per hart, default; stacks end at the top of SRAM */
#define D1_STACK_TOP D1_SRAM_BYTES  /* hart h's stack ends at D1_STACK_TOP - h * stack bytes */

#define D1_SEMAPHORES 64
/* The runtime keeps the upper ones; kernels may use 0 to D1_SEMAPHORE_USER_COUNT - 1. */
#define D1_SEMAPHORE_USER_COUNT 48
#define D1_SEMAPHORE_LIBRARY 48      /* 48..55: the kernel library's collectives */
#define D1_SEMAPHORE_TRANSFER 56     /* 56 + hart: blocking copies of the kernel SDK */
#define D1_SEMAPHORE_WORKER 60       /* 60 + hart (1..3): dispatch wakes this hart */
#define D1_SEMAPHORE_LAUNCH 60       /* 60 + 0: the DIP wakes hart 0 */
#define D1_SEMAPHORE_MAX_COUNT 0xffffffffull

static inline uint64_t d1_node_address(uint32_t die, uint32_t node, uint32_t offset) {
  return ((uint64_t)D1_ADDRESS_NODE << D1_ADDRESS_KIND_SHIFT) |
         ((uint64_t)die << (D1_OFFSET_BITS + D1_NODE_BITS)) | ((uint64_t)node << D1_OFFSET_BITS) |
         offset;
}

static inline uint64_t d1_grid_address(uint32_t rank, uint32_t offset) {
  return ((uint64_t)D1_ADDRESS_GRID << D1_ADDRESS_KIND_SHIFT) |
         ((uint64_t)rank << D1_OFFSET_BITS) | offset;
}

static inline uint64_t d1_hbm_address(uint64_t offset) {
  return ((uint64_t)D1_ADDRESS_HBM << D1_ADDRESS_KIND_SHIFT) | offset;
}

/* A post to this address tells the DIP that a node's part of a launch ended: count 1 is success,
 * 2 a trap (records in the mailbox). */
#define D1_DIP_COMPLETION_ADDRESS \
  (((uint64_t)D1_ADDRESS_HBM << D1_ADDRESS_KIND_SHIFT) | ((uint64_t)1 << 61))

static inline unsigned d1_address_kind(uint64_t address) {
  return (unsigned)(address >> D1_ADDRESS_KIND_SHIFT);
}
static inline uint32_t d1_address_offset(uint64_t address) {
  return (uint32_t)(address & ((1u << D1_OFFSET_BITS) - 1));
}
static inline uint32_t d1_address_node(uint64_t address) {
  return (uint32_t)(address >> D1_OFFSET_BITS) & ((1u << D1_NODE_BITS) - 1);
}
static inline uint32_t d1_address_die(uint64_t address) {
  return (uint32_t)(address >> (D1_OFFSET_BITS + D1_NODE_BITS)) & ((1u << D1_DIE_BITS) - 1);
}
static inline uint32_t d1_address_rank(uint64_t address) {
  return (uint32_t)(address >> D1_OFFSET_BITS);
}
static inline uint64_t d1_address_hbm(uint64_t address) {
  return address & (((uint64_t)1 << D1_HBM_BITS) - 1);
}

#endif
