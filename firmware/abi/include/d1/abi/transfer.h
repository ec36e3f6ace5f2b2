/* SPDX-License-Identifier: Apache-2.0
 *
 * A transfer descriptor: one entry of the lists that the d1.xfer instruction hands to the node's
 * list parser. Descriptors lie in the node's own SRAM, 64 bytes each, aligned to 8; they are read
 * when the instruction executes and may be reused at once. Rows are moved in ascending order.
 *
 * Order: from one node to one destination node, puts arrive in the order they were issued, and the
 * post of a put is seen after its data. Nothing else is ordered.
 */
#ifndef D1_ABI_TRANSFER_H
#define D1_ABI_TRANSFER_H

#include <stdint.h>

enum d1_transfer_kind {
  D1_TRANSFER_PUT = 1,      /* local -> remote (another node, or HBM) */
  D1_TRANSFER_GET = 2,      /* remote -> local */
  D1_TRANSFER_MULTICAST = 3 /* local -> the same offset on each node of a rectangle of the grid */
};

#define D1_NO_SEMAPHORE 0xff

struct d1_transfer {
  uint8_t kind;             /* enum d1_transfer_kind */
  uint8_t local_semaphore;  /* posted by 1 here when the source may be reused (put, multicast) or
                               the data has arrived (get); D1_NO_SEMAPHORE: none */
  uint8_t remote_semaphore; /* posted by 1 on the destination node after the data (put, multicast)
                               or on the source node after it was read (get) */
  uint8_t reserved0;        /* 0 */
  uint32_t row_bytes;       /* 1.. */
  uint32_t rows;            /* 1..; all rows together have at most D1_SRAM_BYTES, also where a
                               pitch of 0 reads the same bytes again */
  uint32_t reserved1;       /* 0 */
  uint64_t local;           /* address in this node's SRAM */
  uint64_t remote;          /* global address; for multicast an SRAM offset */
  uint32_t local_pitch;     /* bytes from row to row; ignored when rows == 1 */
  uint32_t remote_pitch;
  /* Multicast: rectangle of the launch grid. The issuing node itself is left out. */
  uint32_t first_row, first_column;
  uint32_t grid_rows, grid_columns;
  uint64_t reserved2; /* 0 */
};

#ifdef __cplusplus
static_assert(sizeof(struct d1_transfer) == 64, "descriptors are 64 bytes");
#else
_Static_assert(sizeof(struct d1_transfer) == 64, "descriptors are 64 bytes");
#endif

#endif
