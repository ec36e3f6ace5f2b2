// SPDX-License-Identifier: Apache-2.0
#include "machine_description_built_in.hpp"

#include <algorithm>
#include <array>

namespace d1::emulator {
namespace {

constexpr std::array<std::string_view, 5> names = {"d1", "tile", "tray", "cabinet", "exapod"};

// 354 of 360 positions are used; which six are spare is not published. Our choice: six rows, six
// columns, none at the border, so that rectangles of 18 x 19 nodes exist and edges are whole.
struct Position {
  std::uint16_t row;
  std::uint16_t column;
};
constexpr std::array<Position, 6> spare_positions = {
    {{1, 4}, {4, 15}, {7, 9}, {10, 2}, {13, 17}, {16, 11}}};

}  // namespace

std::span<const std::string_view> built_in_machines() { return names; }

std::optional<MachineDescription> built_in_machine(std::string_view name) {
  const auto level = std::find(names.begin(), names.end(), name) - names.begin();
  if (level == static_cast<std::ptrdiff_t>(names.size())) return std::nullopt;
  MachineDescription machine;
  machine.name = name;
  for (const Position position : spare_positions) {
    machine.missing_sets[0].push_back(
        static_cast<std::uint16_t>(position.row * machine.die_columns + position.column));
  }
  if (level == 0) machine.dip_edges = 1;  // one card is enough for one die
  if (level >= 1) {
    machine.grid_rows = machine.tile_die_rows;
    machine.grid_columns = machine.tile_die_columns;
  }
  if (level >= 2) {
    machine.grid_rows *= machine.tray_tile_rows;
    machine.grid_columns *= machine.tray_tile_columns;
  }
  if (level >= 3) machine.grid_rows *= machine.cabinet_trays;
  if (level >= 4) machine.grid_columns *= machine.exapod_cabinets;
  return machine;
}

}  // namespace d1::emulator
