// SPDX-License-Identifier: Apache-2.0
// Where things are: numbers of dies and nodes, the mesh that runs across all dies, the interface
// processors at its edges, and the grid of nodes one launch runs on.
// Geometry and Grid never change once built: share them as const between threads. Nothing blocks.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "d1/emulator/machine_description.hpp"

namespace d1::emulator {

// A node of the machine: its die (row-major in the grid of dies) and its index in the die (physical
// row * columns + column), as in d1_node_address().
struct NodeId {
  std::uint16_t die = 0;
  std::uint16_t node = 0;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

enum class Direction : std::uint8_t { East, West, South, North };
inline constexpr std::uint32_t direction_count = 4;

// An interface processor: it serves the mesh rows first_row to last_row at one edge of a tray.
struct DipPlace {
  Direction edge;             // West: the tray's left edge; East: its right one
  std::uint32_t first_row;    // of the mesh across dies
  std::uint32_t last_row;     // included
  std::vector<NodeId> ports;  // usable border nodes, top to bottom: its links into the mesh
};

class Geometry {
 public:
  // `machine` has been checked by validate().
  explicit Geometry(MachineDescription machine);

  [[nodiscard]] const MachineDescription& machine() const { return machine_; }
  [[nodiscard]] std::uint32_t die_count() const { return machine_.die_count(); }
  [[nodiscard]] std::uint32_t node_positions() const { return positions_; }  // of one die

  // Whether the numbers name a node that exists and is not missing. Any numbers may be asked.
  [[nodiscard]] bool usable(std::uint32_t die, std::uint32_t node) const {
    return die < machine_.die_count() && node < positions_ &&
           usable_[machine_.missing_set(die) * positions_ + node] != 0;
  }
  [[nodiscard]] bool usable(NodeId id) const { return usable(id.die, id.node); }

  [[nodiscard]] std::uint32_t die_row(std::uint32_t die) const {
    return die / machine_.grid_columns;
  }
  [[nodiscard]] std::uint32_t die_column(std::uint32_t die) const {
    return die % machine_.grid_columns;
  }

  // The mesh across all dies, missing nodes counted as positions.
  [[nodiscard]] std::uint32_t mesh_rows() const { return machine_.grid_rows * machine_.die_rows; }
  [[nodiscard]] std::uint32_t mesh_columns() const {
    return machine_.grid_columns * machine_.die_columns;
  }
  [[nodiscard]] std::uint32_t mesh_row(NodeId id) const {
    return die_row(id.die) * machine_.die_rows + id.node / machine_.die_columns;
  }
  [[nodiscard]] std::uint32_t mesh_column(NodeId id) const {
    return die_column(id.die) * machine_.die_columns + id.node % machine_.die_columns;
  }
  [[nodiscard]] NodeId at(std::uint32_t mesh_row, std::uint32_t mesh_column) const;

  // Interface processors: tray by tray, in a tray the left edge top to bottom, then the right one.
  [[nodiscard]] const std::vector<DipPlace>& dips() const { return dips_; }
  // The port of a DIP whose row is nearest to `mesh_row`; the upper one of two.
  [[nodiscard]] std::uint32_t nearest_dip_port(std::uint32_t dip, std::uint32_t mesh_row) const;
  // Its middle port: what it uses where nothing speaks for another one.
  [[nodiscard]] NodeId dip_port(std::uint32_t dip) const {
    return dips_[dip].ports[dips_[dip].ports.size() / 2];
  }

 private:
  void place_dips();
  void place_edge(Direction edge, std::uint32_t first_row, std::uint32_t die_rows,
                  std::uint32_t column);

  MachineDescription machine_;
  std::uint32_t positions_;
  std::vector<std::uint8_t> usable_;  // [missing set][node]
  std::vector<DipPlace> dips_;
};

// The nodes of a launch and their ranks. Takes 4 to 8 bytes a node of the dies it touches; both
// directions are one look-up.
class Grid {
 public:
  // rows x columns nodes: logical row r is mesh row first_row + r, logical column c the c-th usable
  // node of that row from mesh column first_column on. rank = r * columns + c.
  [[nodiscard]] static Result<Grid> rectangle(const Geometry& geometry, std::uint32_t rows,
                                              std::uint32_t columns, std::uint32_t first_row = 0,
                                              std::uint32_t first_column = 0);

  // Every usable node, 1 x N, ordered so that consecutive ranks are neighbours wherever the shape
  // of the die and the missing nodes allow it (see firmware/emulator/README.md).
  [[nodiscard]] static Grid all(const Geometry& geometry);

  // "all" or "ROWSxCOLUMNS", as a user writes it.
  [[nodiscard]] static Result<Grid> parse(const Geometry& geometry, std::string_view text);

  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  [[nodiscard]] std::uint32_t columns() const { return columns_; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  [[nodiscard]] const std::vector<NodeId>& nodes() const { return nodes_; }  // by rank
  [[nodiscard]] NodeId node(std::uint32_t rank) const { return nodes_[rank]; }
  [[nodiscard]] std::optional<std::uint32_t> rank(NodeId id) const;

 private:
  Grid(const Geometry& geometry, std::uint32_t rows, std::uint32_t columns,
       std::vector<NodeId> nodes);

  std::uint32_t rows_;
  std::uint32_t columns_;
  std::uint32_t positions_;
  std::uint32_t first_die_ = 0;
  std::vector<NodeId> nodes_;
  std::vector<std::uint32_t> die_slots_;  // from first_die_ on: which block of ranks_, or none
  std::vector<std::uint32_t> ranks_;      // [block][node]: the rank, or none
};

}  // namespace d1::emulator
