// SPDX-License-Identifier: Apache-2.0
#define D1_KERNEL_SET kKernelsV3
#include "vector_float_kernels.inc"
