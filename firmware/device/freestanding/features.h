/* SPDX-License-Identifier: Apache-2.0
 *
 * libstdc++'s headers, configured for Linux, ask glibc's <features.h> for its version. Kernels
 * stand on picolibc, which keeps its own in <sys/features.h>.
 */
#ifndef D1_FREESTANDING_FEATURES_H
#define D1_FREESTANDING_FEATURES_H

#include <sys/features.h>

#ifndef __GLIBC_PREREQ
#define __GLIBC_PREREQ(major, minor) 0
#endif

#endif
