/* SPDX-License-Identifier: Apache-2.0
 *
 * The log ring in host memory: what kernels print. The device writes records of whole lines at
 * D1_REG_LOG_HEAD modulo the ring's size and advances the head; the host reads and advances the
 * tail. A record never wraps: a record with length D1_LOG_SKIP fills the end of the ring. When the
 * ring is full the device keeps records in a store of its own and, when that is full too, drops
 * new ones and counts them: a kernel never waits for its reader.
 */
#ifndef D1_ABI_LOG_H
#define D1_ABI_LOG_H

#include <stdint.h>

#define D1_LOG_SKIP 0xffffffffu
#define D1_LOG_TEXT_BYTES 1024u /* longest text of one d1.print */

struct d1_log_record {
  uint32_t bytes;   /* of text, D1_LOG_SKIP for padding to the ring's end */
  uint16_t die, node;
  uint32_t rank;
  uint32_t hart;
  uint64_t launch_id;
  uint64_t cycle;
  /* text follows, padded to 8 bytes */
};

#endif
