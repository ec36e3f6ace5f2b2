// SPDX-License-Identifier: Apache-2.0
// `d1 info`: a machine's parameters as a tree, and what follows from them beside what was
// published.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <d1/emulator/machine_description.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "verify.hpp"

namespace d1::tools {
namespace {

using emulator::Figure;
using emulator::MachineDescription;
using emulator::Parameter;
using nlohmann::ordered_json;

struct InfoOptions {
  std::string machine = "d1";
  bool json = false;
  bool verify = false;
};

// The tree's branches: each starts with the parameter named and takes all that follow it in the
// table, so a new parameter needs nothing here.
struct Branch {
  std::string_view first;
  std::string_view name;
};
constexpr std::array kBranches = {Branch{"clock_hz", "node"}, Branch{"die_rows", "die"},
                                  Branch{"tile_die_rows", "tile, tray, cabinet, ExaPOD"},
                                  Branch{"dips_per_tile_edge", "interface processors"},
                                  Branch{"quantum_cycles", "emulation"}};

struct Group {
  std::string_view name;
  std::vector<Parameter> parameters;
};

std::vector<Group> grouped(const MachineDescription& machine) {
  std::vector<Group> groups;
  for (Parameter& parameter : emulator::describe(machine)) {
    for (const Branch& branch : kBranches)
      if (branch.first == parameter.name) groups.push_back({branch.name, {}});
    if (groups.empty()) groups.push_back({"machine", {}});
    groups.back().parameters.push_back(std::move(parameter));
  }
  return groups;
}

std::string tag(emulator::Confidence confidence, std::string_view source) {
  const std::string_view letter = emulator::to_string(confidence);
  return source.empty() || source == "-" ? fmt::format("[{}]", letter)
                                         : fmt::format("[{}: {}]", letter, source);
}

std::string missing_of(const MachineDescription& machine, const emulator::MissingNodes& missing) {
  std::string text;
  for (const std::uint16_t node : missing)
    text += fmt::format("{}({},{})", text.empty() ? "" : " ", node / machine.die_columns,
                        node % machine.die_columns);
  return text.empty() ? "none" : text;
}

void print_tree(const MachineDescription& machine) {
  fmt::print("{}: {} x {} dies, {} nodes\n", machine.name, machine.grid_rows, machine.grid_columns,
             machine.usable_nodes());
  for (std::size_t set = 0; set < machine.missing_sets.size(); ++set)
    fmt::print("├─ missing nodes (row,column){}: {}\n",
               machine.missing_sets.size() == 1 ? "" : fmt::format(" of set {}", set),
               missing_of(machine, machine.missing_sets[set]));
  for (const Group& group : grouped(machine)) {
    fmt::print("├─ {}\n", group.name);
    for (const Parameter& parameter : group.parameters)
      fmt::print(
          "│  {} {:<22} {:>14}  {}{} {}\n", &parameter == &group.parameters.back() ? "└─" : "├─",
          parameter.name,
          with_unit(static_cast<double>(parameter.value), std::string(parameter.unit)),
          parameter.meaning,
          parameter.value == parameter.standard
              ? ""
              : fmt::format(" (of d1: {})", with_unit(static_cast<double>(parameter.standard),
                                                      std::string(parameter.unit))),
          tag(parameter.confidence, parameter.source));
  }
  fmt::print("└─ what follows from these\n");
  const std::vector<Figure> figures = emulator::derived_figures(machine);
  for (const Figure& figure : figures)
    fmt::print("   {} {:<44} {:>16}  = {}{}\n", &figure == &figures.back() ? "└─" : "├─",
               figure.name, with_unit(figure.value, figure.unit), figure.formula,
               figure.published
                   ? fmt::format("; published: {} {}", with_unit(*figure.published, figure.unit),
                                 tag(figure.confidence, figure.source))
                   : "");
  fmt::print(
      "\nSources: [P] the maker's own text, [S] secondary text, [D] derived from those, [M] from "
      "memory without\na citation, [{}] this project's own choice where nothing is public.\n",
      emulator::to_string(emulator::Confidence::Own));
}

ordered_json to_json(const MachineDescription& machine) {
  ordered_json document = {{"name", machine.name},
                           {"grid_rows", machine.grid_rows},
                           {"grid_columns", machine.grid_columns},
                           {"nodes", machine.usable_nodes()},
                           {"missing_nodes", machine.missing_sets}};
  ordered_json& groups = document["parameters"] = ordered_json::object();
  for (const Group& group : grouped(machine)) {
    ordered_json& members = groups[std::string(group.name)] = ordered_json::object();
    for (const Parameter& each : group.parameters)
      members[std::string(each.name)] = {
          {"value", each.value},       {"unit", each.unit},
          {"standard", each.standard}, {"minimum", each.minimum},
          {"maximum", each.maximum},   {"confidence", emulator::to_string(each.confidence)},
          {"source", each.source},     {"meaning", each.meaning}};
  }
  ordered_json& figures = document["figures"] = ordered_json::array();
  for (const Figure& each : emulator::derived_figures(machine)) {
    ordered_json figure = {
        {"name", each.name}, {"value", each.value}, {"unit", each.unit}, {"formula", each.formula}};
    if (each.published) {
      figure["published"] = *each.published;
      figure["confidence"] = emulator::to_string(each.confidence);
      figure["source"] = each.source;
    }
    figures.push_back(std::move(figure));
  }
  return document;
}

Result<int> show(const InfoOptions& options) {
  if (options.verify)
    return verify_time_model(options.json ? ReportFormat::Json : ReportFormat::Text);
  Result<MachineDescription> machine = emulator::load_machine(options.machine);
  if (!machine) return pass_on(machine, fmt::format("loading machine {}", options.machine));
  if (options.json)
    print_json(to_json(*machine));
  else
    print_tree(*machine);
  return kSuccess;
}

}  // namespace

void add_info(CLI::App& application, Action& action) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = application.add_subcommand(
      "info", "Show a machine's parameters with their sources, and what follows from them");
  std::string names;
  for (const std::string_view name : emulator::built_in_machines())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  command->add_option("--machine", options->machine,
                      fmt::format("{}, or a machine file (.toml)", names));
  command->add_flag("--json", options->json, "One JSON document instead of the tree");
  command->add_flag("--verify", options->verify,
                    "Measure every row of the time model and compare it with its formula and the "
                    "published figure (on d1 and tile, whatever --machine says)");
  command->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace d1::tools
