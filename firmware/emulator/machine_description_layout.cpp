// SPDX-License-Identifier: Apache-2.0
#include "machine_description_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace d1::emulator {
namespace {

std::vector<bool> usable_positions(const MachineDescription& machine, const MissingNodes& missing) {
  std::vector<bool> usable(machine.node_positions(), true);
  for (const std::uint16_t node : missing) usable[node] = false;
  return usable;
}

// Nodes reached from `start` by steps between usable neighbours.
std::vector<bool> flood(const MachineDescription& machine, const std::vector<bool>& usable,
                        std::uint32_t start) {
  std::vector<bool> reached(usable.size(), false);
  std::vector<std::uint32_t> open{start};
  reached[start] = true;
  const auto visit = [&](std::uint32_t node) {
    if (usable[node] && !reached[node]) {
      reached[node] = true;
      open.push_back(node);
    }
  };
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    const std::uint32_t column = node % machine.die_columns;
    if (column > 0) visit(node - 1);
    if (column + 1 < machine.die_columns) visit(node + 1);
    if (node >= machine.die_columns) visit(node - machine.die_columns);
    if (node + machine.die_columns < usable.size()) visit(node + machine.die_columns);
  }
  return reached;
}

Result<> check_connected(const MachineDescription& machine, const std::vector<bool>& usable) {
  const auto first = std::find(usable.begin(), usable.end(), true) - usable.begin();
  const auto reached = flood(machine, usable, static_cast<std::uint32_t>(first));
  for (std::uint32_t node = 0; node < usable.size(); ++node) {
    if (usable[node] && !reached[node]) {
      return fail(ErrorKind::Invalid,
                  fmt::format("The missing nodes cut node [{}, {}] off from node [{}, {}] of its "
                              "die; leave a path between all nodes.",
                              node / machine.die_columns, node % machine.die_columns,
                              first / machine.die_columns, first % machine.die_columns));
    }
  }
  return {};
}

bool edges_meet(const MachineDescription& machine, const std::vector<bool>& from,
                const std::vector<bool>& to, bool to_the_right) {
  const std::uint32_t columns = machine.die_columns;
  if (to_the_right) {
    for (std::uint32_t row = 0; row < machine.die_rows; ++row) {
      if (from[row * columns + columns - 1] && to[row * columns]) return true;
    }
  } else {
    for (std::uint32_t column = 0; column < columns; ++column) {
      if (from[(machine.die_rows - 1) * columns + column] && to[column]) return true;
    }
  }
  return false;
}

}  // namespace

Result<> check_layout(const MachineDescription& machine) {
  std::vector<std::vector<bool>> usable;
  for (const MissingNodes& missing : machine.missing_sets) {
    usable.push_back(usable_positions(machine, missing));
    if (auto connected = check_connected(machine, usable.back()); !connected) return connected;
  }
  std::set<std::pair<std::uint32_t, std::uint32_t>> right_known;
  std::set<std::pair<std::uint32_t, std::uint32_t>> below_known;
  const auto check = [&](std::uint32_t die, std::uint32_t neighbour, bool right) -> Result<> {
    const std::pair sets{machine.missing_set(die), machine.missing_set(neighbour)};
    if (!(right ? right_known : below_known).insert(sets).second) return {};
    if (edges_meet(machine, usable[sets.first], usable[sets.second], right)) return {};
    return fail(ErrorKind::Invalid,
                fmt::format("No border node of die {} faces a usable one of die {} {} it; leave "
                            "one pair on every edge between dies.",
                            die, neighbour, right ? "to the right of" : "below"));
  };
  for (std::uint32_t die = 0; die < machine.die_count(); ++die) {
    if (die % machine.grid_columns + 1 < machine.grid_columns) {
      if (auto met = check(die, die + 1, true); !met) return met;
    }
    if (die + machine.grid_columns < machine.die_count()) {
      if (auto met = check(die, die + machine.grid_columns, false); !met) return met;
    }
  }
  return {};
}

}  // namespace d1::emulator
