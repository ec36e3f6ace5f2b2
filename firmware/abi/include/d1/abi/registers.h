/* SPDX-License-Identifier: Apache-2.0
 *
 * BAR0 of the PCI function: registers and doorbells. All registers are 64 bits wide and are
 * accessed whole, naturally aligned; doorbells are 32 bits. BAR2 is an aperture on device memory:
 * window D1_APERTURE_BYTES at the device address in D1_REG_APERTURE.
 *
 * Bring-up: read D1_REG_ID, write D1_CONTROL_ENABLE, wait for D1_STATUS_READY, set up queues, ring.
 */
#ifndef D1_ABI_REGISTERS_H
#define D1_ABI_REGISTERS_H

#define D1_PCI_VENDOR_ID 0x1ed1 /* this project's own; the real IDs are not published */
#define D1_PCI_DEVICE_ID 0x0d01
#define D1_PCI_CLASS 0x120000 /* processing accelerator */

#define D1_ABI_VERSION 1
#define D1_ID_MAGIC 0x31444f4a4f44ull /* "DOJOD1" */

enum d1_register {
  D1_REG_ID = 0x000,         /* ro: D1_ID_MAGIC << 16 | D1_ABI_VERSION */
  D1_REG_QUEUES = 0x008,     /* ro: number of queue pairs << 32 | entries a queue may have */
  D1_REG_CONTROL = 0x010,    /* rw: D1_CONTROL_* */
  D1_REG_STATUS = 0x018,     /* ro: D1_STATUS_* */
  D1_REG_DIES = 0x020,       /* ro: die rows << 32 | die columns of this DPU */
  D1_REG_MESH = 0x028,       /* ro: node rows << 32 | node columns of a die */
  D1_REG_NODES = 0x030,      /* ro: usable nodes of this DPU */
  D1_REG_HBM_BYTES = 0x038,  /* ro */
  D1_REG_CLOCK_HZ = 0x040,   /* ro */
  D1_REG_CYCLE = 0x048,      /* ro: emulated cycles since power-on */
  D1_REG_HEARTBEAT = 0x050,  /* ro: advances while the device lives, also with no work to do */
  D1_REG_APERTURE = 0x058,   /* rw: device address that BAR2 shows, a multiple of its size */
  D1_REG_LOG_BASE = 0x060,   /* rw: I/O address of the log ring (d1/abi/log.h); 0: none */
  D1_REG_LOG_BYTES = 0x068,  /* rw: its size, a power of two, 4 KiB to 64 MiB */
  D1_REG_LOG_TAIL = 0x070,   /* rw: bytes the host has consumed */
  D1_REG_LOG_HEAD = 0x078,   /* ro: bytes the device has written */
  D1_REG_LOG_LOST = 0x080,   /* ro: records dropped because the device's own store was full */
  D1_REG_QUEUE_BASE = 0x1000,   /* + D1_QUEUE_STRIDE * queue + enum d1_queue_register */
  D1_REG_DOORBELL_BASE = 0x4000 /* + 8 * queue: submission tail; + 4: completion head */
};

#define D1_BAR0_BYTES 0x8000
#define D1_APERTURE_BYTES 0x1000000 /* 16 MiB */

#define D1_CONTROL_ENABLE 1u
#define D1_STATUS_READY 1u
#define D1_STATUS_FATAL 2u /* the device gave up; only a reset helps */

#define D1_QUEUE_STRIDE 0x40
enum d1_queue_register {
  D1_QUEUE_SUBMISSION = 0x00, /* rw: I/O address of the submission ring, a multiple of 64 */
  D1_QUEUE_COMPLETION = 0x08, /* rw: I/O address of the completion ring, a multiple of 32 */
  D1_QUEUE_ENTRIES = 0x10,    /* rw: entries of both rings, a power of two, 2 or more */
  D1_QUEUE_VECTOR = 0x18,     /* rw: MSI-X vector */
  D1_QUEUE_ENABLE = 0x20,     /* rw: 1 enables (and starts both rings at 0), 0 disables; reads 0
                                 after a 1 if a value above is impossible */
  D1_QUEUE_HEAD = 0x28        /* ro: commands fetched so far, modulo entries */
};

#define D1_QUEUE_PAIRS 16
#define D1_QUEUE_MAX_ENTRIES 4096
#define D1_MSIX_VECTORS 16

#endif
