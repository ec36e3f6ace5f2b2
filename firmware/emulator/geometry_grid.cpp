// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "d1/emulator/geometry.hpp"

namespace d1::emulator {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

enum class Order { ByRows, ByColumns };

// Appends the usable nodes of one die: lines of the given order, each line turned against the one
// before it. `down` and `right` say from which corner it starts, and are left at where it ended.
void snake(const Geometry& geometry, std::uint32_t die, Order order, bool& down, bool& right,
           std::vector<NodeId>& nodes) {
  const std::uint32_t rows = geometry.machine().die_rows;
  const std::uint32_t columns = geometry.machine().die_columns;
  const std::uint32_t lines = order == Order::ByRows ? rows : columns;
  const std::uint32_t length = order == Order::ByRows ? columns : rows;
  bool& across = order == Order::ByRows ? down : right;
  bool& along = order == Order::ByRows ? right : down;
  for (std::uint32_t i = 0; i < lines; ++i) {
    const std::uint32_t line = across ? i : lines - 1 - i;
    for (std::uint32_t j = 0; j < length; ++j) {
      const std::uint32_t step = along ? j : length - 1 - j;
      const std::uint32_t node =
          order == Order::ByRows ? line * columns + step : step * columns + line;
      if (geometry.usable(die, node)) {
        nodes.push_back({static_cast<std::uint16_t>(die), static_cast<std::uint16_t>(node)});
      }
    }
    along = !along;
  }
}

}  // namespace

Grid::Grid(const Geometry& geometry, std::uint32_t rows, std::uint32_t columns,
           std::vector<NodeId> nodes)
    : rows_(rows),
      columns_(columns),
      positions_(geometry.node_positions()),
      nodes_(std::move(nodes)) {
  const auto [first, last] = std::minmax_element(nodes_.begin(), nodes_.end(),
                                                 [](NodeId a, NodeId b) { return a.die < b.die; });
  first_die_ = first->die;
  die_slots_.assign(last->die - first_die_ + 1u, none);
  std::uint32_t blocks = 0;
  for (std::uint32_t rank = 0; rank < nodes_.size(); ++rank) {
    std::uint32_t& slot = die_slots_[nodes_[rank].die - first_die_];
    if (slot == none) {
      slot = blocks++;
      ranks_.resize(std::size_t{blocks} * positions_, none);
    }
    ranks_[std::size_t{slot} * positions_ + nodes_[rank].node] = rank;
  }
}

std::optional<std::uint32_t> Grid::rank(NodeId id) const {
  const std::uint32_t index = static_cast<std::uint32_t>(id.die) - first_die_;
  if (index >= die_slots_.size() || die_slots_[index] == none || id.node >= positions_) {
    return std::nullopt;
  }
  const std::uint32_t found = ranks_[std::size_t{die_slots_[index]} * positions_ + id.node];
  if (found == none) return std::nullopt;
  return found;
}

Result<Grid> Grid::rectangle(const Geometry& geometry, std::uint32_t rows, std::uint32_t columns,
                             std::uint32_t first_row, std::uint32_t first_column) {
  if (rows == 0 || columns == 0) {
    return fail(ErrorKind::Invalid,
                fmt::format("A grid of {} x {} nodes is empty; give at least 1x1.", rows, columns));
  }
  const std::uint64_t last_row = std::uint64_t{first_row} + rows;
  if (last_row > geometry.mesh_rows()) {
    return fail(ErrorKind::Invalid,
                fmt::format("A grid of {} x {} nodes from row {} on needs {} rows; the machine {} "
                            "has {}.",
                            rows, columns, first_row, last_row, geometry.machine().name,
                            geometry.mesh_rows()));
  }
  if (columns > geometry.mesh_columns()) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("A grid of {} x {} nodes needs {} columns; the machine {} has {}.", rows,
                    columns, columns, geometry.machine().name, geometry.mesh_columns()));
  }
  std::vector<NodeId> nodes;
  nodes.reserve(std::size_t{rows} * columns);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::size_t wanted = std::size_t{row + 1} * columns;
    for (std::uint32_t column = first_column;
         column < geometry.mesh_columns() && nodes.size() < wanted; ++column) {
      const NodeId id = geometry.at(first_row + row, column);
      if (geometry.usable(id)) nodes.push_back(id);
    }
    if (nodes.size() < wanted) {
      return fail(ErrorKind::Invalid,
                  fmt::format("A grid of {} x {} nodes does not fit: row {} of the machine {} has "
                              "{} usable nodes from column {} on; ask for at most that many "
                              "columns, or for 'all'.",
                              rows, columns, first_row + row, geometry.machine().name,
                              columns - (wanted - nodes.size()), first_column));
    }
  }
  return Grid(geometry, rows, columns, std::move(nodes));
}

// Dies run boustrophedon: the first row of dies to the right, the next one to the left. A die that
// is left sideways is crossed column by column, so that it ends at the side of the next die; the
// last one of a row of dies row by row, so that it ends at the bottom.
Grid Grid::all(const Geometry& geometry) {
  const MachineDescription& machine = geometry.machine();
  std::vector<NodeId> nodes;
  nodes.reserve(machine.usable_nodes());
  for (std::uint32_t row = 0; row < machine.grid_rows; ++row) {
    const bool to_the_right = row % 2 == 0;
    bool down = true;
    for (std::uint32_t i = 0; i < machine.grid_columns; ++i) {
      const std::uint32_t column = to_the_right ? i : machine.grid_columns - 1 - i;
      const std::uint32_t die = row * machine.grid_columns + column;
      bool right = to_the_right;
      if (i + 1 < machine.grid_columns) {
        snake(geometry, die, Order::ByColumns, down, right, nodes);
      } else {
        snake(geometry, die, Order::ByRows, down, right, nodes);
      }
    }
  }
  const auto count = static_cast<std::uint32_t>(nodes.size());
  return Grid(geometry, 1, count, std::move(nodes));
}

Result<Grid> Grid::parse(const Geometry& geometry, std::string_view text) {
  if (text == "all") return all(geometry);
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  const char* const end = text.data() + text.size();
  const auto [cross, row_error] = std::from_chars(text.data(), end, rows);
  if (row_error == std::errc{} && cross != end && (*cross == 'x' || *cross == 'X')) {
    const auto [stop, column_error] = std::from_chars(cross + 1, end, columns);
    if (column_error == std::errc{} && stop == end) return rectangle(geometry, rows, columns);
  }
  return fail(ErrorKind::Invalid,
              fmt::format("'{}' is not a grid; give ROWSxCOLUMNS, for example 4x4, or all.", text));
}

}  // namespace d1::emulator
