// SPDX-License-Identifier: Apache-2.0
// One launch in flight, as the DIP keeps it and its nodes see it. Nodes read the constant part
// during quanta; the rest belongs to the committing thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <d1/emulator/geometry.hpp>

#include "grid_routes.hpp"
#include "packet.hpp"

namespace d1::emulator {

struct LaunchContext {
  std::uint64_t id = 0;
  std::shared_ptr<const Grid> grid;
  std::shared_ptr<const GridRoutes> routes;
  std::uint32_t harts = 1;

  struct GridBarrier {
    std::vector<std::pair<NodeIndex, std::uint64_t>> arrived;  // node, departure
  } barrier;
};

}  // namespace d1::emulator
