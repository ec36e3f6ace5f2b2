// SPDX-License-Identifier: Apache-2.0
#include "dpu.hpp"

#include <d1/emulator/geometry.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace d1::server {

using emulator::MachineDescription;

namespace {

constexpr std::size_t kNameLength = 64;               // own: it is a file's name
constexpr std::uint64_t kHbmUnit = std::uint64_t{2} << 20;  // of a share: a huge page

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameLength &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

// Reads from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::uint32_t> number() {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return {};
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

struct Cell {
  std::uint32_t row, column;
};

Rectangle corners(Cell a, Cell b) {
  const std::uint32_t row = std::min(a.row, b.row), column = std::min(a.column, b.column);
  return {row, column, std::max(a.row, b.row) - row + 1, std::max(a.column, b.column) - column + 1};
}

std::unexpected<Error> unreadable(std::string_view text) {
  return fail(ErrorKind::Invalid,
              fmt::format("'{}' names no DPU; write NAME=PLACE, the place as all, tile0/die3, "
                          "tile0/die0..11 (two corners of a rectangle) or tile0/die3/n0,0..5,9.",
                          text));
}

// Where a die lies: `tile` counts tiles and `die` dies of a tile, row by row.
Result<Cell> die_cell(const MachineDescription& machine, std::uint32_t tile, std::uint32_t die) {
  const std::uint32_t across = std::min(machine.tile_die_columns, machine.grid_columns);
  const std::uint32_t down = std::min(machine.tile_die_rows, machine.grid_rows);
  const std::uint32_t tiles_across = machine.grid_columns / across;
  const std::uint32_t tiles = tiles_across * (machine.grid_rows / down);
  if (tile >= tiles || die >= across * down)
    return fail(ErrorKind::Invalid,
                fmt::format("The machine '{}' has no tile{}/die{}: its tiles are 0 to {} and the "
                            "dies of one 0 to {}.",
                            machine.name, tile, die, tiles - 1, across * down - 1));
  return Cell{tile / tiles_across * down + die / across,
              tile % tiles_across * across + die % across};
}

// "3,4": row and column of a node.
Result<Cell> node_cell(const MachineDescription& machine, Scanner& scanner, std::string_view text) {
  const auto row = scanner.number();
  if (!row || !scanner.take(",")) return unreadable(text);
  const auto column = scanner.number();
  if (!column) return unreadable(text);
  if (*row >= machine.die_rows || *column >= machine.die_columns)
    return fail(ErrorKind::Invalid,
                fmt::format("A die of machine '{}' has no node {},{}: rows are 0 to {} and columns "
                            "0 to {}.",
                            machine.name, *row, *column, machine.die_rows - 1,
                            machine.die_columns - 1));
  return Cell{*row, *column};
}

}  // namespace

Result<Dpu> parse_dpu(std::string_view text, const MachineDescription& machine) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return unreadable(text);
  Dpu dpu;
  dpu.name = text.substr(0, equals);
  dpu.place = text.substr(equals + 1);
  dpu.dies = {0, 0, machine.grid_rows, machine.grid_columns};
  dpu.nodes = {0, 0, machine.die_rows, machine.die_columns};
  if (!good_name(dpu.name))
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' cannot name a DPU; use 1 to {} letters, digits, '-' and '_'.",
                            dpu.name, kNameLength));
  Scanner scanner(dpu.place);
  if (scanner.take("all") && scanner.done()) return dpu;

  std::uint32_t tile = 0;
  if (scanner.take("tile")) {
    const auto number = scanner.number();
    if (!number || !scanner.take("/")) return unreadable(text);
    tile = *number;
  }
  if (scanner.take("die")) {
    const auto first = scanner.number();
    const auto last = scanner.take("..") ? scanner.number() : first;
    if (!first || !last) return unreadable(text);
    auto from = die_cell(machine, tile, *first), to = die_cell(machine, tile, *last);
    if (!from) return std::unexpected(std::move(from.error()));
    if (!to) return std::unexpected(std::move(to.error()));
    dpu.dies = corners(*from, *to);
    if (scanner.done()) return dpu;
    if (!scanner.take("/")) return unreadable(text);
  }
  if (!scanner.take("n")) return unreadable(text);
  if (dpu.dies.rows * dpu.dies.columns != 1)
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' names nodes of {} dies; nodes are a part of one die.", text,
                            dpu.dies.rows * dpu.dies.columns));
  auto from = node_cell(machine, scanner, text);
  if (!from) return std::unexpected(std::move(from.error()));
  auto to = from;
  if (scanner.take("..")) {
    (void)scanner.take("n");
    to = node_cell(machine, scanner, text);
    if (!to) return std::unexpected(std::move(to.error()));
  }
  if (!scanner.done()) return unreadable(text);
  dpu.nodes = corners(*from, *to);
  return dpu;
}

bool overlap(const Dpu& one, const Dpu& other) noexcept {
  return one.dies.meets(other.dies) &&
         (one.dies != other.dies || one.dies.rows * one.dies.columns != 1 ||
          one.nodes.meets(other.nodes));
}

Result<MachineDescription> part_of(const MachineDescription& machine, const Dpu& dpu) {
  MachineDescription part = machine;
  part.name = machine.name + "/" + dpu.place;
  part.grid_rows = dpu.dies.rows;
  part.grid_columns = dpu.dies.columns;
  part.die_rows = dpu.nodes.rows;
  part.die_columns = dpu.nodes.columns;
  // A set of missing nodes keeps its number; what lies outside of the rectangle is no part of it.
  for (auto& missing : part.missing_sets) {
    emulator::MissingNodes inside;
    for (const std::uint16_t node : missing) {
      const std::uint32_t row = node / machine.die_columns, column = node % machine.die_columns;
      if (dpu.nodes.meets({row, column, 1, 1}))
        inside.push_back(static_cast<std::uint16_t>((row - dpu.nodes.first_row) * part.die_columns +
                                                    column - dpu.nodes.first_column));
    }
    missing = std::move(inside);
  }
  if (!machine.die_sets.empty()) {
    part.die_sets.clear();
    for (std::uint32_t row = 0; row < part.grid_rows; ++row)
      for (std::uint32_t column = 0; column < part.grid_columns; ++column)
        part.die_sets.push_back(
            machine.die_sets[(dpu.dies.first_row + row) * machine.grid_columns +
                             dpu.dies.first_column + column]);
  }
  const auto dips = [](const MachineDescription& of) {
    return emulator::Geometry(of).dips().size();
  };
  const std::uint64_t all = machine.usable_nodes(), own = part.usable_nodes();
  const std::uint64_t total = machine.hbm_bytes * dips(machine);
  const std::uint64_t share = total / all * own + total % all * own / all;
  part.hbm_bytes = share / dips(part) / kHbmUnit * kHbmUnit;
  if (auto good = emulator::validate(part); !good)
    return pass_on(good, fmt::format("making the DPU '{}' of {}", dpu.name, dpu.place));
  return part;
}

}  // namespace d1::server
