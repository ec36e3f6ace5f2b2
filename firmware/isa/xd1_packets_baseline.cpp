// SPDX-License-Identifier: Apache-2.0
#define D1_PACKET_SET kPacketsBaseline
#include "xd1_packets.inc"
