/* SPDX-License-Identifier: Apache-2.0
 *
 * How device software divides what the contract (d1/abi/memory_map.h) leaves to it.
 */
#ifndef D1_DEVICE_LAYOUT_H
#define D1_DEVICE_LAYOUT_H

/* Top of each hart's stack, where tp points: the C library keeps errno there. */
#define D1_TLS_BYTES 64

#endif
