// SPDX-License-Identifier: Apache-2.0
#include "d1/emulator/geometry.hpp"

#include <algorithm>

namespace d1::emulator {

Geometry::Geometry(MachineDescription machine)
    : machine_(std::move(machine)), positions_(machine_.node_positions()) {
  usable_.assign(machine_.missing_sets.size() * positions_, 1);
  for (std::size_t set = 0; set < machine_.missing_sets.size(); ++set) {
    for (const std::uint16_t node : machine_.missing_sets[set])
      usable_[set * positions_ + node] = 0;
  }
  place_dips();
}

NodeId Geometry::at(std::uint32_t mesh_row, std::uint32_t mesh_column) const {
  const std::uint32_t die =
      mesh_row / machine_.die_rows * machine_.grid_columns + mesh_column / machine_.die_columns;
  const std::uint32_t node =
      mesh_row % machine_.die_rows * machine_.die_columns + mesh_column % machine_.die_columns;
  return {static_cast<std::uint16_t>(die), static_cast<std::uint16_t>(node)};
}

void Geometry::place_dips() {
  const std::uint32_t tray_rows = machine_.tile_die_rows * machine_.tray_tile_rows;
  const std::uint32_t tray_columns = machine_.tile_die_columns * machine_.tray_tile_columns;
  for (std::uint32_t row = 0; row < machine_.grid_rows; row += tray_rows) {
    const std::uint32_t end_row = std::min(row + tray_rows, machine_.grid_rows);
    for (std::uint32_t column = 0; column < machine_.grid_columns; column += tray_columns) {
      const std::uint32_t end_column = std::min(column + tray_columns, machine_.grid_columns);
      for (std::uint32_t edge = 0; edge < machine_.dip_edges; ++edge) {
        const std::uint32_t border =
            edge == 0 ? column * machine_.die_columns : end_column * machine_.die_columns - 1;
        for (std::uint32_t tile = row; tile < end_row; tile += machine_.tile_die_rows) {
          place_edge(edge == 0 ? Direction::West : Direction::East, tile * machine_.die_rows,
                     std::min(machine_.tile_die_rows, end_row - tile), border);
        }
      }
    }
  }
}

// The DIPs of one tile's edge share its rows evenly; a tile that is not whole has as many DIPs as
// its share of the rows, and at least one.
void Geometry::place_edge(Direction edge, std::uint32_t first_row, std::uint32_t die_rows,
                          std::uint32_t column) {
  const std::uint32_t rows = die_rows * machine_.die_rows;
  const std::uint32_t share = machine_.dips_per_tile_edge * die_rows / machine_.tile_die_rows;
  const std::uint32_t count = std::clamp<std::uint32_t>(share, 1, rows);
  for (std::uint32_t dip = 0; dip < count; ++dip) {
    DipPlace place{
        edge, first_row + dip * rows / count, first_row + (dip + 1) * rows / count - 1, {}};
    for (std::uint32_t row = place.first_row; row <= place.last_row; ++row) {
      if (usable(at(row, column))) place.ports.push_back(at(row, column));
    }
    dips_.push_back(std::move(place));
  }
}

std::uint32_t Geometry::nearest_dip_port(std::uint32_t dip, std::uint32_t row) const {
  const std::vector<NodeId>& ports = dips_[dip].ports;
  const auto after = std::partition_point(ports.begin(), ports.end(),
                                          [&](NodeId port) { return mesh_row(port) < row; });
  if (after == ports.begin()) return 0;
  const auto index = static_cast<std::uint32_t>(after - ports.begin());
  if (after == ports.end()) return index - 1;
  return row - mesh_row(ports[index - 1]) <= mesh_row(ports[index]) - row ? index - 1 : index;
}

}  // namespace d1::emulator
