// SPDX-License-Identifier: Apache-2.0
// Which way packets go. Inside a die a table of next steps, computed per destination when it is
// first asked for and shared by all dies that miss the same nodes: shortest paths around missing
// nodes, along the row before along the column. Between dies along the row of dies, then along the
// column, over the border position nearest to where the packet is that is usable on both sides.
// A route depends on source and destination only. One thread at a time; nothing blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "d1/emulator/geometry.hpp"

namespace d1::emulator {

class Routing {
 public:
  // `geometry` must outlive it.
  explicit Routing(const Geometry& geometry);

  // Calls step(NodeId from, Direction direction, NodeId to) for every link from `source` to
  // `destination`, both usable; from.die != to.die where it crosses to another die.
  template <typename Step>
  void walk(NodeId source, NodeId destination, Step&& step) {
    NodeId at = source;
    while (at.die != destination.die) {
      const Direction direction = towards(at.die, destination.die);
      const NodeId exit = exit_of(at, direction);
      walk_in_die(at, exit.node, step);
      const NodeId entry = across(exit, direction);
      step(exit, direction, entry);
      at = entry;
    }
    walk_in_die(at, destination.node, step);
  }

  [[nodiscard]] const Geometry& geometry() const { return geometry_; }

 private:
  using Column = std::unique_ptr<std::uint8_t[]>;  // [node]: next step towards one destination

  template <typename Step>
  void walk_in_die(NodeId at, std::uint16_t destination, Step&& step) {
    if (at.node == destination) return;
    const std::uint8_t* const next = column(geometry_.machine().missing_set(at.die), destination);
    while (at.node != destination) {
      const auto direction = static_cast<Direction>(next[at.node]);
      const NodeId to{at.die, static_cast<std::uint16_t>(at.node + offset_[next[at.node]])};
      step(at, direction, to);
      at = to;
    }
  }

  const std::uint8_t* column(std::uint32_t set, std::uint16_t destination) {
    Column& known = columns_[set * geometry_.node_positions() + destination];
    if (!known) compute(set, destination, known);
    return known.get();
  }

  void compute(std::uint32_t set, std::uint16_t destination, Column& column) const;
  [[nodiscard]] Direction towards(std::uint32_t die, std::uint32_t destination) const;
  [[nodiscard]] NodeId exit_of(NodeId at, Direction direction) const;
  [[nodiscard]] NodeId across(NodeId exit, Direction direction) const;

  const Geometry& geometry_;
  std::int32_t offset_[direction_count];
  std::vector<Column> columns_;  // [missing set][destination]
};

}  // namespace d1::emulator
