// SPDX-License-Identifier: Apache-2.0
// One launch in flight, as the DIP keeps it and its nodes see it. Nodes read the constant part
// during quanta; the rest belongs to the committing thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <d1/abi/mailbox.h>
#include <d1/emulator/geometry.hpp>

#include "grid_routes.hpp"
#include "packet.hpp"

namespace d1::emulator {

struct LaunchContext {
  std::uint64_t id = 0;
  std::shared_ptr<const Grid> grid;
  std::shared_ptr<const GridRoutes> routes;
  d1_launch parameters{};         // but for the rank
  std::size_t parameter_bytes = 0;  // up to the last argument in use

  struct GridBarrier {
    struct Arrival {
      NodeIndex node;
      std::uint32_t way;  // ticks to where packets are combined, and back
    };
    std::vector<Arrival> arrived;
    std::uint64_t latest = 0;  // ticks: when the last of them is there
  } barrier;

  // The trees of multicasts that its nodes have sent, each made once: finding the ways to all
  // destinations costs the host more than sending a packet along them.
  struct MulticastKey {
    NodeIndex source;
    std::uint32_t first_row, first_column, rows, columns;
    auto operator<=>(const MulticastKey&) const = default;
  };
  struct Multicast {
    MulticastPlan plan;
    std::vector<NodeIndex> targets;
  };
  static constexpr std::size_t kMulticasts = 1024;  // own: kept at a time
  std::map<MulticastKey, Multicast> multicasts;
};

}  // namespace d1::emulator
