/* SPDX-License-Identifier: Apache-2.0
 *
 * The PCI function. BAR0: registers, doorbells, the live page and the MSI-X table. All registers
 * are 64 bits wide and are accessed whole, naturally aligned; doorbells are 32 bits. BAR2: the SRAM
 * of all nodes, D1_BAR2_STRIDE apart, ordered by die, then node index. BAR4: the HBM. Doorbells,
 * live page, BAR2 and BAR4 are memory that a host may map; a doorbell written there is seen within
 * some milliseconds, and at once while the device polls or after a write to D1_REG_KICK.
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
  D1_REG_LOG_BASE = 0x060,   /* rw: I/O address of the log ring (d1/abi/log.h); 0: none */
  D1_REG_LOG_BYTES = 0x068,  /* rw: its size, a power of two, 4 KiB to 64 MiB */
  D1_REG_LOG_TAIL = 0x070,   /* rw: bytes the host has consumed */
  D1_REG_LOG_HEAD = 0x078,   /* ro: bytes the device has written */
  D1_REG_LOG_LOST = 0x080,   /* ro: records dropped because the device's own store was full */
  D1_REG_KICK = 0x088,       /* wo: look at the doorbells in mapped memory at once; any value */
  D1_REG_CORRECTED = 0x090,   /* ro: memory errors that were corrected, since power-on */
  D1_REG_UNCORRECTED = 0x098, /* ro: and those that could not be */
  D1_REG_RETRAINS = 0x0a0,    /* ro: times the PCIe link was trained anew */
  D1_REG_HALTED = 0x0a8,      /* ro: ms for which tools have halted the machine, since power-on;
                                 emulated time stood still, and timeouts of the host should */
  D1_REG_QUEUE_BASE = 0x1000,   /* + D1_QUEUE_STRIDE * queue + enum d1_queue_register */
  D1_REG_DOORBELL_BASE = 0x4000, /* + 8 * queue: submission tail; + 4: completion head */
  D1_REG_DOORBELL_ARM = 0x4100,    /* + 8 * vector: not 0: the vector is armed, see ARMING */
  D1_REG_DOORBELL_ARMING = 0x4200, /* not 0: an event is raised only for an armed vector, which
                                      disarms it; 0, as after a reset: always */
  D1_REG_LIVE_BASE = 0x5000,       /* + enum d1_register, read only: the registers that change by
                                      themselves, status, cycle, heartbeat, log head and lost */
  D1_REG_LIVE_POLLED = 0x5800,     /* ro: not 0 while the device looks at doorbells by itself */
  D1_REG_LIVE_RAISED = 0x5900,     /* + 8 * vector, ro: interrupts raised so far */
  D1_REG_MSIX_TABLE = 0x6000,
  D1_REG_MSIX_PENDING = 0x7000
};

#define D1_BAR0_BYTES 0x8000
#define D1_BAR_PAGE 0x1000     /* doorbells and the live page fill one each */
#define D1_BAR2_STRIDE 0x141000 /* SRAM and a page of nothing; an odd number of pages */

#define D1_CONTROL_ENABLE 1u
#define D1_STATUS_READY 1u
#define D1_STATUS_FATAL 2u     /* the device gave up; only a reset helps */
#define D1_STATUS_THROTTLED 4u /* nodes run slower than the clock says */
#define D1_STATUS_HALTED 8u    /* by a tool (d1/abi/debug.h) */

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
