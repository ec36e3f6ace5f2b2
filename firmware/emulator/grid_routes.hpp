// SPDX-License-Identifier: Apache-2.0
// What launches on a grid need to know of the network, found once: the tree by which the DIP
// reaches its nodes, and how far each is from the DIP and from the node of rank 0. Plain values,
// fixed once made; valid as long as the Noc they were made with.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <d1/emulator/geometry.hpp>
#include <d1/emulator/noc.hpp>

namespace d1::emulator {

struct GridRoutes {
  MulticastPlan plan;                     // from the DIP that holds the queues
  std::vector<std::uint32_t> to_dip;      // ticks by rank, nothing else on the way
  std::vector<std::uint32_t> from_first;  // ticks between the node of rank 0 and rank
};

}  // namespace d1::emulator
