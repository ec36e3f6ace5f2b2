/* SPDX-License-Identifier: Apache-2.0
 *
 * The operand of d1.zone: where a named stretch of a kernel begins and ends. The name is text in
 * the program, ending in a zero byte, so a tool finds it in the node's SRAM or in the ELF. Zones of
 * one hart nest.
 */
#ifndef D1_ABI_ZONE_H
#define D1_ABI_ZONE_H

#include <stdint.h>

#define D1_ZONE_END ((uint64_t)1 << 63) /* set: the zone ends; the other bits are the name again \
                                         */

#endif
