/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of vfio-user, by which a device in one process is used from another over a UNIX socket
 * (specification: docs/interop/vfio-user.rst of QEMU, version 0.1 of the protocol). What they share
 * with VFIO's ioctls (indices, information, interrupts) stands in <linux/vfio.h>. All numbers are
 * in the host's byte order.
 */
#ifndef D1_ABI_VFIO_USER_H
#define D1_ABI_VFIO_USER_H

#include <stdint.h>

#define D1_VFIO_USER_MAJOR 0
#define D1_VFIO_USER_MINOR 1

enum d1_vfio_user_command {
  D1_VFIO_USER_VERSION = 1,
  D1_VFIO_USER_DMA_MAP = 2,
  D1_VFIO_USER_DMA_UNMAP = 3,
  D1_VFIO_USER_DEVICE_GET_INFO = 4,
  D1_VFIO_USER_DEVICE_GET_REGION_INFO = 5,
  D1_VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
  D1_VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
  D1_VFIO_USER_DEVICE_SET_IRQS = 8,
  D1_VFIO_USER_REGION_READ = 9,
  D1_VFIO_USER_REGION_WRITE = 10,
  D1_VFIO_USER_DMA_READ = 11,  /* from the server */
  D1_VFIO_USER_DMA_WRITE = 12, /* from the server */
  D1_VFIO_USER_DEVICE_RESET = 13,
  D1_VFIO_USER_REGION_WRITE_MULTI = 15
};

#define D1_VFIO_USER_TYPE 0xfu /* flags: the type's bits */
#define D1_VFIO_USER_REPLY 1u
#define D1_VFIO_USER_NO_REPLY 0x10u
#define D1_VFIO_USER_ERROR 0x20u

struct d1_vfio_user_header {
  uint16_t id;
  uint16_t command;
  uint32_t size; /* of the whole message */
  uint32_t flags;
  uint32_t error; /* errno, with D1_VFIO_USER_ERROR */
};

struct d1_vfio_user_version {
  uint16_t major, minor; /* JSON with a NUL may follow */
};

#define D1_VFIO_USER_DMA_READABLE 1u
#define D1_VFIO_USER_DMA_WRITABLE 2u
struct d1_vfio_user_dma_map {
  uint32_t argsz, flags;
  uint64_t offset; /* in the file that came along */
  uint64_t address, size;
};

struct d1_vfio_user_dma_unmap {
  uint32_t argsz, flags;
  uint64_t address, size;
};

/* The first 16 bytes of struct vfio_device_info, all there is of it here. */
struct d1_vfio_user_device_info {
  uint32_t argsz, flags, regions, irqs;
};

struct d1_vfio_user_region_io_fds {
  uint32_t argsz, flags, index, count;
};

#define D1_VFIO_USER_IO_EVENT 0u /* type: an ioeventfd */
struct d1_vfio_user_io_event {
  uint64_t offset, size;
  uint32_t descriptor, type, flags, padding;
  uint64_t match;
};

struct d1_vfio_user_region_access {
  uint64_t offset;
  uint32_t region, count; /* `count` bytes of data follow where there are any */
};

struct d1_vfio_user_dma_access {
  uint64_t address, count; /* data follow where there are any */
};

/* REGION_WRITE_MULTI: a count of these. */
#define D1_VFIO_USER_MULTI_BYTES 8
struct d1_vfio_user_multi_write {
  uint64_t offset;
  uint32_t region, count;
  uint8_t data[D1_VFIO_USER_MULTI_BYTES];
};

/* What a peer that does not say otherwise takes. */
#define D1_VFIO_USER_DEFAULT_TRANSFER 1048576u
#define D1_VFIO_USER_DEFAULT_MAPS 65535u

#endif
