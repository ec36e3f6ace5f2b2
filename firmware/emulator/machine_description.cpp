// SPDX-License-Identifier: Apache-2.0
#include "d1/emulator/machine_description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "d1/emulator/geometry.hpp"
#include "machine_description_layout.hpp"

namespace d1::emulator {
namespace {

struct Row {
  std::string_view name;
  std::uint64_t minimum;
  std::uint64_t maximum;
  std::string_view unit;
  void (*set)(MachineDescription&, std::uint64_t);
};

constexpr std::array rows = {
#define D1_PARAMETER(name, type, unit, value, minimum, maximum, tag, source, meaning)        \
  Row{#name, minimum, maximum, unit, [](MachineDescription& machine, std::uint64_t number) { \
        machine.name = static_cast<type>(number);                                            \
      }},
#include "d1/emulator/parameters.def"
#undef D1_PARAMETER
};

// Length of the longest run two names share at their starts and ends: enough to suggest a key.
std::size_t likeness(std::string_view a, std::string_view b) {
  const auto start = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  const auto end = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin();
  return static_cast<std::size_t>(start + end);
}

Result<> check_limits(const Parameter& parameter, std::uint64_t value) {
  if (value >= parameter.minimum && value <= parameter.maximum) return {};
  if (parameter.minimum == parameter.maximum) {
    return fail(ErrorKind::Invalid,
                fmt::format("{} = {} cannot be changed; it is always {} {}.", parameter.name, value,
                            parameter.minimum, parameter.unit));
  }
  return fail(ErrorKind::Invalid,
              fmt::format("{} = {} is outside its range; give {} to {} {}.", parameter.name, value,
                          parameter.minimum, parameter.maximum, parameter.unit));
}

Result<> check_missing_set(const MachineDescription& machine, const MissingNodes& missing) {
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i] >= machine.node_positions()) {
      return fail(ErrorKind::Invalid,
                  fmt::format("Missing node index {} is not on a die of {} x {} nodes; the last "
                              "index is {}.",
                              missing[i], machine.die_rows, machine.die_columns,
                              machine.node_positions() - 1));
    }
    if (i > 0 && missing[i] <= missing[i - 1]) {
      return fail(ErrorKind::Invalid,
                  fmt::format("Missing node [{}, {}] is listed twice; list each position once.",
                              missing[i] / machine.die_columns, missing[i] % machine.die_columns));
    }
  }
  if (missing.size() == machine.node_positions()) {
    return fail(ErrorKind::Invalid,
                fmt::format("All {} nodes of a die are missing; a die needs at least one.",
                            machine.node_positions()));
  }
  return {};
}

}  // namespace

std::uint64_t MachineDescription::usable_nodes() const {
  std::uint64_t sum = 0;
  for (std::uint32_t die = 0; die < die_count(); ++die) sum += usable_nodes(die);
  return sum;
}

std::uint64_t MachineDescription::cycles(std::uint64_t nanoseconds) const {
  const auto product = static_cast<__uint128_t>(nanoseconds) * clock_hz;
  return static_cast<std::uint64_t>((product + 999'999'999) / 1'000'000'000);
}

std::uint64_t MachineDescription::bytes_in(std::uint64_t bytes_per_second,
                                           std::uint64_t cycle_count) const {
  const auto product = static_cast<__uint128_t>(bytes_per_second) * cycle_count;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(product / clock_hz));
}

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::P:
      return "P";
    case Confidence::S:
      return "S";
    case Confidence::D:
      return "D";
    case Confidence::M:
      return "M";
    case Confidence::Own:
      return "own";
  }
  return "?";
}

std::vector<Parameter> describe(const MachineDescription& machine) {
  return {
#define D1_PARAMETER(name, type, unit, value, minimum, maximum, tag, source, meaning) \
  Parameter{#name, unit, machine.name, value, minimum, maximum, Confidence::tag, source, meaning},
#include "d1/emulator/parameters.def"
#undef D1_PARAMETER
  };
}

Result<> set_parameter(MachineDescription& machine, std::string_view name, std::uint64_t value) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  if (row == rows.end()) {
    const auto near = std::max_element(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      return likeness(a.name, name) < likeness(b.name, name);
    });
    return fail(
        ErrorKind::Invalid,
        fmt::format("There is no parameter named {}; the nearest is {} (`d1 info` lists all).",
                    name, near->name));
  }
  const Parameter limits{row->name,    row->unit,       value, 0, row->minimum,
                         row->maximum, Confidence::Own, {},    {}};
  if (auto inside = check_limits(limits, value); !inside) return inside;
  row->set(machine, value);
  return {};
}

Result<> validate(const MachineDescription& machine) {
  for (const Parameter& parameter : describe(machine)) {
    if (auto inside = check_limits(parameter, parameter.value); !inside) return inside;
  }
  if (machine.node_positions() > maximum_node_positions) {
    return fail(ErrorKind::Invalid,
                fmt::format("A die of {} x {} has {} node positions; addresses can name {}.",
                            machine.die_rows, machine.die_columns, machine.node_positions(),
                            maximum_node_positions));
  }
  const std::uint64_t dies = std::uint64_t{machine.grid_rows} * machine.grid_columns;
  if (dies == 0 || dies > maximum_dies) {
    return fail(ErrorKind::Invalid,
                fmt::format("A machine of {} x {} dies is impossible; it has 1 to {} dies.",
                            machine.grid_rows, machine.grid_columns, maximum_dies));
  }
  if (machine.missing_sets.empty() ||
      (!machine.die_sets.empty() && machine.die_sets.size() != dies) ||
      std::any_of(machine.die_sets.begin(), machine.die_sets.end(),
                  [&](std::uint16_t set) { return set >= machine.missing_sets.size(); })) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("The sets of missing nodes do not cover the {} dies of the machine.", dies));
  }
  for (const MissingNodes& missing : machine.missing_sets) {
    if (auto checked = check_missing_set(machine, missing); !checked) return checked;
  }
  if (auto laid_out = check_layout(machine); !laid_out) return laid_out;
  const Geometry geometry(machine);
  for (std::size_t dip = 0; dip < geometry.dips().size(); ++dip) {
    const DipPlace& place = geometry.dips()[dip];
    if (place.ports.empty()) {
      return fail(ErrorKind::Invalid,
                  fmt::format("Interface processor {} has no usable border node in mesh rows {} to "
                              "{}; leave one there.",
                              dip, place.first_row, place.last_row));
    }
  }
  return {};
}

}  // namespace d1::emulator
