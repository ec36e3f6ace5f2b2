// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#define D1_PACKET_SET kPacketsV4
#include "xd1_packets.inc"
#endif
