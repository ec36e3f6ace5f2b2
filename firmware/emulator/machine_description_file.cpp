// SPDX-License-Identifier: Apache-2.0
// Machine files: TOML in, a checked MachineDescription or one error with its place out.
#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "d1/emulator/machine_description.hpp"
#include "machine_description_built_in.hpp"

namespace d1::emulator {
namespace {

constexpr std::uintmax_t maximum_file_bytes = 16u << 20;  // an ExaPOD with per-die lists is < 1 MB

class Reader {
 public:
  explicit Reader(const std::string& origin) : origin_(origin) {}

  Result<MachineDescription> read(const toml::table& file) {
    if (auto known = only_keys(file, "a machine file",
                               {"name", "base", "dies", "parameters", "missing", "die"});
        !known) {
      return std::unexpected(known.error());
    }
    for (auto step : {&Reader::read_base, &Reader::read_name, &Reader::read_grid,
                      &Reader::read_parameters, &Reader::read_missing, &Reader::read_dies}) {
      if (auto done = (this->*step)(file); !done) return std::unexpected(done.error());
    }
    if (auto valid = validate(machine_); !valid) {
      return pass_on(valid, fmt::format("checking the machine of {}", origin_));
    }
    return std::move(machine_);
  }

  [[nodiscard]] std::unexpected<Error> error_at(const toml::source_region& place,
                                                const std::string& sentence) const {
    return fail(ErrorKind::Invalid, fmt::format("{}:{}:{}: {}", origin_, place.begin.line,
                                                place.begin.column, sentence));
  }

 private:
  Result<> only_keys(const toml::table& table, std::string_view where,
                     std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : table) {
      if (std::find(keys.begin(), keys.end(), key.str()) == keys.end()) {
        return error_at(key.source(), fmt::format("Unknown key {} in {}; its keys are {}.",
                                                  key.str(), where, fmt::join(keys, ", ")));
      }
    }
    return {};
  }

  Result<std::uint64_t> number(const toml::node& node, std::string_view what, std::uint64_t minimum,
                               std::uint64_t maximum) const {
    const auto integer = node.as_integer();
    if (integer == nullptr) {
      return error_at(node.source(), fmt::format("{} must be a whole number, from {} to {}.", what,
                                                 minimum, maximum));
    }
    const std::int64_t value = integer->get();
    if (value < 0 || static_cast<std::uint64_t>(value) < minimum ||
        static_cast<std::uint64_t>(value) > maximum) {
      return error_at(node.source(), fmt::format("{} = {} is outside its range; give {} to {}.",
                                                 what, value, minimum, maximum));
    }
    return static_cast<std::uint64_t>(value);
  }

  Result<> read_base(const toml::table& file) {
    const toml::node* node = file.get("base");
    std::string base = "d1";
    if (node != nullptr) {
      if (!node->is_string()) return error_at(node->source(), "base must be a machine's name.");
      base = node->as_string()->get();
    }
    auto machine = built_in_machine(base);
    if (!machine) {
      return error_at(node->source(),
                      fmt::format("There is no built-in machine {}; give one of {}.", base,
                                  fmt::join(built_in_machines(), ", ")));
    }
    machine_ = std::move(*machine);
    return {};
  }

  Result<> read_name(const toml::table& file) {
    const toml::node* node = file.get("name");
    if (node == nullptr) {
      machine_.name = std::filesystem::path(origin_).stem().string();
      return {};
    }
    if (!node->is_string() || node->as_string()->get().empty()) {
      return error_at(node->source(), "name must be a string that is not empty.");
    }
    machine_.name = node->as_string()->get();
    return {};
  }

  Result<> read_grid(const toml::table& file) {
    const toml::node* node = file.get("dies");
    if (node == nullptr) return {};
    if (!node->is_table()) {
      return error_at(node->source(), "dies must be a table: [dies] with rows and columns.");
    }
    const toml::table& grid = *node->as_table();
    if (auto known = only_keys(grid, "[dies]", {"rows", "columns"}); !known) return known;
    for (const auto& [key, field] :
         {std::pair{"rows", &machine_.grid_rows}, std::pair{"columns", &machine_.grid_columns}}) {
      const toml::node* entry = grid.get(key);
      if (entry == nullptr) continue;
      auto value = number(*entry, fmt::format("dies.{}", key), 1, maximum_dies);
      if (!value) return std::unexpected(value.error());
      *field = static_cast<std::uint32_t>(*value);
    }
    if (std::uint64_t{machine_.grid_rows} * machine_.grid_columns > maximum_dies) {
      return error_at(node->source(),
                      fmt::format("{} x {} dies are too many; addresses can name {}.",
                                  machine_.grid_rows, machine_.grid_columns, maximum_dies));
    }
    return {};
  }

  Result<> read_parameters(const toml::table& file) {
    const toml::node* node = file.get("parameters");
    if (node == nullptr) return {};
    if (!node->is_table()) {
      return error_at(node->source(), "parameters must be a table: [parameters].");
    }
    const std::uint32_t rows = machine_.die_rows;
    const std::uint32_t columns = machine_.die_columns;
    for (const auto& [key, value] : *node->as_table()) {
      auto checked = number(value, key.str(), 0, INT64_MAX);
      if (!checked) return std::unexpected(checked.error());
      if (auto set = set_parameter(machine_, key.str(), *checked); !set) {
        return error_at(value.source(), set.error().sentence());
      }
    }
    if (machine_.node_positions() > maximum_node_positions) {
      return error_at(node->source(),
                      fmt::format("A die of {} x {} has {} node positions; addresses can name {}.",
                                  machine_.die_rows, machine_.die_columns,
                                  machine_.node_positions(), maximum_node_positions));
    }
    // The base's spare positions mean nothing on a die of another shape.
    if (machine_.die_rows != rows || machine_.die_columns != columns) {
      machine_.missing_sets = {{}};
    }
    return {};
  }

  // [[row, column], ...] -> ascending node indices.
  Result<MissingNodes> read_positions(const toml::node& node) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
      return error_at(node.source(), "missing must be a list of positions: [[row, column], ...].");
    }
    MissingNodes missing;
    for (const toml::node& entry : *list) {
      const toml::array* position = entry.as_array();
      if (position == nullptr || position->size() != 2) {
        return error_at(entry.source(), "A missing node is given as [row, column].");
      }
      auto row = number(*position->get(0), "The row of a missing node", 0, machine_.die_rows - 1);
      if (!row) return std::unexpected(row.error());
      auto column =
          number(*position->get(1), "The column of a missing node", 0, machine_.die_columns - 1);
      if (!column) return std::unexpected(column.error());
      const auto index = static_cast<std::uint16_t>(*row * machine_.die_columns + *column);
      if (std::find(missing.begin(), missing.end(), index) != missing.end()) {
        return error_at(entry.source(),
                        fmt::format("Missing node [{}, {}] is listed twice.", *row, *column));
      }
      missing.push_back(index);
    }
    if (missing.size() == machine_.node_positions()) {
      return error_at(
          node.source(),
          fmt::format("All {} nodes are missing; a die needs at least one.", missing.size()));
    }
    std::sort(missing.begin(), missing.end());
    return missing;
  }

  Result<> read_missing(const toml::table& file) {
    const toml::node* node = file.get("missing");
    if (node == nullptr) return {};
    auto missing = read_positions(*node);
    if (!missing) return std::unexpected(missing.error());
    machine_.missing_sets[0] = std::move(*missing);
    return {};
  }

  Result<> read_dies(const toml::table& file) {
    const toml::node* node = file.get("die");
    if (node == nullptr) return {};
    if (!node->is_array_of_tables()) {
      return error_at(node->source(), "die must be tables: [[die]] with row, column and missing.");
    }
    std::map<MissingNodes, std::uint16_t> known{{machine_.missing_sets[0], std::uint16_t{0}}};
    machine_.die_sets.assign(machine_.die_count(), 0);
    std::vector<bool> given(machine_.die_count(), false);
    for (const toml::node& entry : *node->as_array()) {
      const toml::table& table = *entry.as_table();
      if (auto only = only_keys(table, "[[die]]", {"row", "column", "missing"}); !only) return only;
      for (const char* key : {"row", "column", "missing"}) {
        if (!table.contains(key)) {
          return error_at(table.source(), fmt::format("This [[die]] has no {}; it needs row, "
                                                      "column and missing.",
                                                      key));
        }
      }
      auto row = number(*table.get("row"), "die.row", 0, machine_.grid_rows - 1);
      if (!row) return std::unexpected(row.error());
      auto column = number(*table.get("column"), "die.column", 0, machine_.grid_columns - 1);
      if (!column) return std::unexpected(column.error());
      auto missing = read_positions(*table.get("missing"));
      if (!missing) return std::unexpected(missing.error());
      const std::size_t die = *row * machine_.grid_columns + *column;
      if (given[die]) {
        return error_at(table.source(),
                        fmt::format("Die [{}, {}] is described twice.", *row, *column));
      }
      given[die] = true;
      const auto [set, added] =
          known.try_emplace(*missing, static_cast<std::uint16_t>(machine_.missing_sets.size()));
      if (added) machine_.missing_sets.push_back(std::move(*missing));
      machine_.die_sets[die] = set->second;
    }
    return {};
  }

  const std::string& origin_;
  MachineDescription machine_;
};

}  // namespace

Result<MachineDescription> parse_machine(std::string_view toml_text, const std::string& origin) {
  Reader reader(origin);
  try {
    const toml::table file = toml::parse(toml_text, std::string_view(origin));
    return reader.read(file);
  } catch (const toml::parse_error& error) {
    return reader.error_at(error.source(),
                           fmt::format("This is not TOML: {}.", error.description()));
  }
}

Result<MachineDescription> load_machine(const std::string& name_or_path) {
  if (auto machine = built_in_machine(name_or_path)) return std::move(*machine);
  const bool is_path =
      name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml");
  if (!is_path) {
    return fail(ErrorKind::Invalid,
                fmt::format("There is no machine named '{}'; give one of {}, or the path of a "
                            ".toml file.",
                            name_or_path, fmt::join(built_in_machines(), ", ")));
  }
  std::error_code code;
  const auto bytes = std::filesystem::file_size(name_or_path, code);
  if (code) {
    return fail(ErrorKind::Invalid, fmt::format("The machine file {} cannot be read: {}.",
                                                name_or_path, code.message()));
  }
  if (bytes > maximum_file_bytes) {
    return fail(ErrorKind::Invalid,
                fmt::format("The machine file {} has {} bytes; at most {} are read.", name_or_path,
                            bytes, maximum_file_bytes));
  }
  std::ifstream stream(name_or_path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) {
    return fail(ErrorKind::Invalid, fmt::format("The machine file {} cannot be read: {}.",
                                                name_or_path, std::strerror(errno)));
  }
  return parse_machine(text.str(), name_or_path);
}

}  // namespace d1::emulator
