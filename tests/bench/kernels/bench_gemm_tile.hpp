// SPDX-License-Identifier: Apache-2.0
// What host and node both know of gemm.bf16.tile.
#pragma once

#include <cstddef>

namespace d1::bench {

// Rows, columns and k: as much as a node's SRAM holds with operands as they came and packed.
inline constexpr std::size_t tile_gemm_size = 256;

}  // namespace d1::bench
