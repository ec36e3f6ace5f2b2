/* SPDX-License-Identifier: Apache-2.0
 * The SDK's bf16, for C. */
#ifndef D1_TEST_ROUNDING_H
#define D1_TEST_ROUNDING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/* The bits of a float, and of what it becomes. */
uint16_t rounding_to_bf16(uint32_t bits);
uint32_t rounding_from_bf16(uint16_t bits);
#ifdef __cplusplus
}
#endif

#endif
