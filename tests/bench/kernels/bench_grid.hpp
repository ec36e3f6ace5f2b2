// SPDX-License-Identifier: Apache-2.0
// What host and nodes both know of noc.put.
#pragma once

#include <cstddef>
#include <cstdint>

namespace d1::bench {

inline constexpr std::size_t put_bytes = std::size_t{64} << 10;
inline constexpr std::size_t put_words = put_bytes / sizeof(std::uint32_t);

}  // namespace d1::bench
