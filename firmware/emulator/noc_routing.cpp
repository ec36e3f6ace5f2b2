// SPDX-License-Identifier: Apache-2.0
#include "noc_routing.hpp"

#include <array>
#include <cassert>

namespace d1::emulator {

Routing::Routing(const Geometry& geometry) : geometry_(geometry) {
  const auto columns = static_cast<std::int32_t>(geometry.machine().die_columns);
  offset_[static_cast<int>(Direction::East)] = 1;
  offset_[static_cast<int>(Direction::West)] = -1;
  offset_[static_cast<int>(Direction::South)] = columns;
  offset_[static_cast<int>(Direction::North)] = -columns;
  columns_.resize(geometry.machine().missing_sets.size() * geometry.node_positions());
}

// Breadth first from the destination: the distances of all nodes, then each node's first neighbour
// that is nearer, east and west before south and north.
void Routing::compute(std::uint32_t set, std::uint16_t destination, Column& column) const {
  const MachineDescription& machine = geometry_.machine();
  const std::uint32_t columns = machine.die_columns;
  const std::uint32_t positions = machine.node_positions();
  constexpr std::uint16_t unknown = UINT16_MAX;
  constexpr std::uint16_t missing = UINT16_MAX - 1;
  std::array<std::uint16_t, maximum_node_positions> distance;
  std::array<std::uint16_t, maximum_node_positions> order;
  for (std::uint32_t node = 0; node < positions; ++node) distance[node] = unknown;
  for (const std::uint16_t node : machine.missing_sets[set]) distance[node] = missing;

  const auto neighbour = [&](std::uint32_t node, std::uint32_t direction) -> std::int32_t {
    const std::uint32_t x = node % columns;
    switch (static_cast<Direction>(direction)) {
      case Direction::East:
        if (x + 1 == columns) return -1;
        break;
      case Direction::West:
        if (x == 0) return -1;
        break;
      case Direction::South:
        if (node + columns >= positions) return -1;
        break;
      case Direction::North:
        if (node < columns) return -1;
        break;
    }
    return static_cast<std::int32_t>(node) + offset_[direction];
  };

  distance[destination] = 0;
  order[0] = destination;
  std::uint32_t known = 1;
  for (std::uint32_t i = 0; i < known; ++i) {
    for (std::uint32_t direction = 0; direction < direction_count; ++direction) {
      const std::int32_t next = neighbour(order[i], direction);
      if (next < 0 || distance[next] != unknown) continue;
      distance[next] = static_cast<std::uint16_t>(distance[order[i]] + 1);
      order[known++] = static_cast<std::uint16_t>(next);
    }
  }
  column = std::make_unique<std::uint8_t[]>(positions);
  for (std::uint32_t i = 1; i < known; ++i) {
    for (std::uint32_t direction = 0; direction < direction_count; ++direction) {
      const std::int32_t next = neighbour(order[i], direction);
      if (next >= 0 && distance[next] + 1 == distance[order[i]]) {
        column[order[i]] = static_cast<std::uint8_t>(direction);
        break;
      }
    }
  }
}

Direction Routing::towards(std::uint32_t die, std::uint32_t destination) const {
  const std::uint32_t here = geometry_.die_column(die);
  const std::uint32_t there = geometry_.die_column(destination);
  if (here != there) return there > here ? Direction::East : Direction::West;
  return destination > die ? Direction::South : Direction::North;
}

// The border node of at's die, nearest to `at` along the border, that faces a usable one.
NodeId Routing::exit_of(NodeId at, Direction direction) const {
  const MachineDescription& machine = geometry_.machine();
  const std::uint32_t rows = machine.die_rows;
  const std::uint32_t columns = machine.die_columns;
  const bool sideways = direction == Direction::East || direction == Direction::West;
  const std::uint32_t length = sideways ? rows : columns;
  const std::uint32_t here = sideways ? at.node / columns : at.node % columns;
  const auto border = [&](std::uint32_t place) -> NodeId {
    std::uint32_t node = 0;
    switch (direction) {
      case Direction::East:
        node = place * columns + columns - 1;
        break;
      case Direction::West:
        node = place * columns;
        break;
      case Direction::South:
        node = (rows - 1) * columns + place;
        break;
      case Direction::North:
        node = place;
        break;
    }
    return {at.die, static_cast<std::uint16_t>(node)};
  };
  for (std::uint32_t away = 0; away < length; ++away) {
    for (const std::uint32_t place : {here - away, here + away}) {
      if (place >= length) continue;  // also where here - away wrapped around
      const NodeId exit = border(place);
      if (geometry_.usable(exit) && geometry_.usable(across(exit, direction))) return exit;
    }
  }
  assert(false && "validate() has refused borders that never meet");
  return at;
}

NodeId Routing::across(NodeId exit, Direction direction) const {
  const MachineDescription& machine = geometry_.machine();
  const std::uint32_t columns = machine.die_columns;
  const std::uint32_t last_row = (machine.die_rows - 1) * columns;
  std::uint32_t die = exit.die;
  std::uint32_t node = exit.node;
  switch (direction) {
    case Direction::East:
      die += 1, node -= columns - 1;
      break;
    case Direction::West:
      die -= 1, node += columns - 1;
      break;
    case Direction::South:
      die += machine.grid_columns, node -= last_row;
      break;
    case Direction::North:
      die -= machine.grid_columns, node += last_row;
      break;
  }
  return {static_cast<std::uint16_t>(die), static_cast<std::uint16_t>(node)};
}

}  // namespace d1::emulator
