// SPDX-License-Identifier: Apache-2.0
// What is emulated, as data: the numbers of parameters.def, the grid of dies and which node
// positions are missing on which die. Built-in machines and the user's TOML files end in the same
// structure, and every engine, model and tool reads only this.
// A MachineDescription is a plain value: copy it freely, share it between threads as const. Only
// load_machine() reads a file; nothing else here blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "d1/abi/memory_map.h"
#include "d1/base/error.hpp"

namespace d1::emulator {

// What the address format can name (d1/abi/memory_map.h).
inline constexpr std::uint32_t maximum_dies = 1u << D1_DIE_BITS;
inline constexpr std::uint32_t maximum_node_positions = 1u << D1_NODE_BITS;

// Node indices (row * columns + column) of one die that are not there, ascending.
using MissingNodes = std::vector<std::uint16_t>;

struct MachineDescription {
  std::string name = "d1";
  std::uint32_t grid_rows = 1;     // dies, top to bottom
  std::uint32_t grid_columns = 1;  // dies, left to right; die index = row * grid_columns + column

#define D1_PARAMETER(name, type, unit, value, minimum, maximum, tag, source, meaning) \
  type name = value;
#include "d1/emulator/parameters.def"
#undef D1_PARAMETER

  // The distinct sets of missing nodes; set 0 is that of every die not named in `die_sets`.
  // Dies with equal sets share one, so that whatever is computed from a set is computed once.
  std::vector<MissingNodes> missing_sets = {{}};
  std::vector<std::uint16_t> die_sets;  // by die index; empty: set 0 everywhere

  [[nodiscard]] std::uint32_t die_count() const { return grid_rows * grid_columns; }
  [[nodiscard]] std::uint32_t node_positions() const { return die_rows * die_columns; }
  [[nodiscard]] std::uint32_t missing_set(std::uint32_t die) const {
    return die_sets.empty() ? 0 : die_sets[die];
  }
  [[nodiscard]] const MissingNodes& missing(std::uint32_t die) const {
    return missing_sets[missing_set(die)];
  }
  [[nodiscard]] std::uint32_t usable_nodes(std::uint32_t die) const {
    return node_positions() - static_cast<std::uint32_t>(missing(die).size());
  }
  [[nodiscard]] std::uint64_t usable_nodes() const;  // of the whole machine

  // Whole cycles that cover a time of the description, and bytes of a bandwidth in some cycles
  // (rounded down, at least 1).
  [[nodiscard]] std::uint64_t cycles(std::uint64_t nanoseconds) const;
  [[nodiscard]] std::uint64_t bytes_in(std::uint64_t bytes_per_second, std::uint64_t cycles) const;
};

// d1, tile, tray, cabinet, exapod.
[[nodiscard]] std::span<const std::string_view> built_in_machines();

// A built-in machine's name, or the path of a TOML file (it ends in .toml or holds a slash). The
// format stands in firmware/emulator/README.md. Errors carry file:line:column.
[[nodiscard]] Result<MachineDescription> load_machine(const std::string& name_or_path);

// The same from text; `origin` stands where errors name the file.
[[nodiscard]] Result<MachineDescription> parse_machine(std::string_view toml,
                                                       const std::string& origin);

// Says what is impossible about a description: limits of the table, of the address format, missing
// nodes that are not on the die, dies without a usable node or cut in two. load_machine() has
// called it already; call it for descriptions changed by hand.
[[nodiscard]] Result<> validate(const MachineDescription& machine);

// How sure a number is; see the head of parameters.def.
enum class Confidence { P, S, D, M, Own };
[[nodiscard]] std::string_view to_string(Confidence confidence);

struct Parameter {
  std::string_view name;
  std::string_view unit;
  std::uint64_t value;
  std::uint64_t standard;  // the value of machine d1
  std::uint64_t minimum;
  std::uint64_t maximum;
  Confidence confidence;
  std::string_view source;
  std::string_view meaning;
};
[[nodiscard]] std::vector<Parameter> describe(const MachineDescription& machine);

// Sets one number of the table by its name, within its limits.
[[nodiscard]] Result<> set_parameter(MachineDescription& machine, std::string_view name,
                                     std::uint64_t value);

// What follows from the parameters, beside what was published for that level of the machine.
struct Figure {
  std::string name;
  double value;
  std::string unit;
  std::string formula;                    // with the numbers put in
  std::optional<double> published;        // in the same unit; none where nothing was published
  Confidence confidence = Confidence::D;  // of the published figure
  std::string source;
};
[[nodiscard]] std::vector<Figure> derived_figures(const MachineDescription& machine);

}  // namespace d1::emulator
