/* SPDX-License-Identifier: Apache-2.0
 *
 * The boot ROM as a flat image: what stands at D1_ROM_BASE, byte for byte. A hart starts at its
 * first byte. Made from firmware/device/boot, linked by way of the target d1_rom.
 */
#ifndef D1_DEVICE_ROM_IMAGE_H
#define D1_DEVICE_ROM_IMAGE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const unsigned char d1_rom_image[];
extern const size_t d1_rom_image_bytes;

#ifdef __cplusplus
}
#endif

#endif
