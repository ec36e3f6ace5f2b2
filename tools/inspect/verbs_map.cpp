// SPDX-License-Identifier: Apache-2.0
// Dies drawn as grids of nodes, one letter each.
#include <fmt/format.h>
#include <d1/abi/memory_map.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "verbs.hpp"

namespace d1::inspect {
namespace {

using nlohmann::ordered_json;

// What a node has of a quantity: one of some kinds, or a number.
struct Value {
  std::string kind;
  std::uint64_t number = 0;
};
using ValueOf = Value (*)(Session& session, const d1_debug_node& node);

Value state_of(Session&, const d1_debug_node& node) {
  bool runs = false, waits = false, stopped = false;
  for (const std::uint8_t status : node.hart_status) {
    runs |= status == D1_HART_RUNNABLE;
    waits |= status == D1_HART_PARKED;
    stopped |= status == D1_HART_STOPPED;
  }
  return {stopped            ? "stopped by a trap"
          : node.held != 0   ? "held by a fault"
          : runs             ? "running"
          : node.launch != 0 ? "waiting"
          : waits            ? "idle"
                             : "never used",
          0};
}

// Of hart 0, unless another one runs.
Value wait_of(Session&, const d1_debug_node& node) {
  if (node.launch == 0) return {"no launch", 0};
  for (unsigned hart = 0; hart < D1_HARTS; ++hart)
    if (node.hart_status[hart] == D1_HART_RUNNABLE) return {"running", 0};
  constexpr std::array kNames = {"waiting",         "a semaphore",  "its node's barrier",
                                 "the grid's barrier", "another node", "its transfers",
                                 "an interrupt"};
  return {kNames[std::min<std::size_t>(node.wait_kind[0], kNames.size() - 1)], 0};
}

Value launch_of(Session&, const d1_debug_node& node) {
  return {node.launch == 0 ? "no launch" : fmt::format("launch {}", node.launch), 0};
}
Value cycles_of(Session&, const d1_debug_node& node) { return {"", node.cycle}; }
Value instructions_of(Session&, const d1_debug_node& node) { return {"", node.instructions}; }
Value matrix_of(Session&, const d1_debug_node& node) {
  return {"", node.unit_cycles[D1_DEBUG_UNIT_MATRIX]};
}
Value simd_of(Session&, const d1_debug_node& node) {
  return {"", node.unit_cycles[D1_DEBUG_UNIT_SIMD]};
}

struct Quantity {
  std::string_view name;
  bool counts;  // by numbers, not kinds
  ValueOf value;
};
constexpr std::array kQuantities = {
    Quantity{"state", false, state_of},   Quantity{"wait", false, wait_of},
    Quantity{"launch", false, launch_of}, Quantity{"function", false, nullptr},
    Quantity{"cycles", true, cycles_of},  Quantity{"instructions", true, instructions_of},
    Quantity{"matrix", true, matrix_of},  Quantity{"simd", true, simd_of}};

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::array kColours = {32, 33, 36, 35, 34, 31, 92, 93, 96, 95, 94, 91};  // ANSI

// Where hart 0 of each node is, by die and node.
Result<std::map<std::pair<std::uint32_t, std::uint32_t>, std::string>> functions(Session& session) {
  auto harts = session.target().harts();
  if (!harts) return std::unexpected(std::move(harts.error()));
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> found;
  for (const d1_debug_hart& hart : *harts) {
    const d1_hart_report& report = hart.report;
    const bool busy = report.pc < D1_ROM_BASE;
    std::string& name = found[{report.die, report.node}];
    if (name.empty() && busy) name = session.symbols().function_at(hart.program, report.pc);
  }
  return found;
}

class Map {
 public:
  Map(Session& session, const Quantity& quantity) : session_(session), quantity_(quantity) {}

  void add(const d1_debug_node& node, Value value) {
    if (quantity_.counts) most_ = std::max(most_, value.number);
    else ++kinds_[value.kind];
    values_[{node.die, node.node}] = std::move(value);
  }

  Answer draw(const PlaceSet& place) {
    number_kinds();
    Answer answer;
    answer.document = {{"quantity", quantity_.name},
                       {"cycle", session_.target().cycle()},
                       {"nodes", ordered_json::array()}};
    const Mesh& mesh = session_.mesh();
    for (std::uint32_t die = 0; die < mesh.dies(); ++die) {
      if (!place.contains_die(die)) continue;
      answer.text += fmt::format("die{}\n", die);
      for (std::uint32_t row = 0; row < mesh.node_rows; ++row) {
        std::string line;
        for (std::uint32_t column = 0; column < mesh.node_columns; ++column)
          line += cell(die, row * mesh.node_columns + column, answer.document["nodes"]);
        const std::size_t end = line.find_last_not_of(' ');
        if (end != std::string::npos)
          answer.text += fmt::format("{:>4} {}\n", row, line.substr(0, end + 1));
      }
    }
    answer.text += legend();
    return answer;
  }

 private:
  void number_kinds() {
    std::vector<std::pair<std::size_t, std::string>> order;
    for (const auto& [kind, nodes] : kinds_) order.push_back({nodes, kind});
    std::ranges::stable_sort(order, std::ranges::greater(),
                             &std::pair<std::size_t, std::string>::first);
    for (const auto& [nodes, kind] : order) {
      order_.push_back(kind);
      letters_[kind] = order_.size() - 1;
    }
  }

  std::string painted(char letter, std::size_t colour) const {
    if (!session_.colour()) return fmt::format(" {}", letter);
    return fmt::format(" \x1b[{}m{}\x1b[0m", kColours[colour % kColours.size()], letter);
  }

  std::string cell(std::uint32_t die, std::uint32_t node, ordered_json& nodes) const {
    const auto found = values_.find({die, node});
    if (found == values_.end()) return "  ";  // no node, or not asked for
    const Value& value = found->second;
    ordered_json entry = {{"place", name_of(session_.mesh(), die, node)}};
    if (quantity_.counts) entry["value"] = value.number;
    else entry["value"] = value.kind;
    nodes.push_back(std::move(entry));
    if (!quantity_.counts) {
      const std::size_t kind = letters_.at(value.kind);
      return painted(kLetters[kind % kLetters.size()], kind);
    }
    const std::uint64_t tenth = most_ == 0 ? 0 : value.number * 9 / most_;
    return value.number == 0 ? " ." : painted(static_cast<char>('0' + tenth), tenth);
  }

  std::string legend() const {
    if (quantity_.counts)
      return fmt::format("     {}: 0 to 9 for none to {}, . for 0\n", quantity_.name, most_);
    std::string text;
    for (std::size_t kind = 0; kind < order_.size(); ++kind)
      text += fmt::format("    {} {} ({} nodes)\n", painted(kLetters[kind % kLetters.size()], kind),
                          order_[kind], kinds_.at(order_[kind]));
    return text;
  }

  Session& session_;
  const Quantity& quantity_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Value> values_;
  std::map<std::string, std::size_t> kinds_, letters_;
  std::vector<std::string> order_;  // of kinds, the most frequent first
  std::uint64_t most_ = 0;
};

}  // namespace

Result<Answer> show_map(Session& session, Words words) {
  const Quantity* quantity = &kQuantities.front();
  if (!words.empty()) {
    const auto named = std::ranges::find(kQuantities, words.front(), &Quantity::name);
    if (named != kQuantities.end()) {
      quantity = named;
      words = words.subspan(1);
    }
  }
  auto place = session.place(words);
  if (!place) {
    std::string known;
    for (const Quantity& each : kQuantities) known += fmt::format(" {}", each.name);
    return fail(ErrorKind::Invalid, fmt::format("{} Quantities are{}.", place.error().sentence(),
                                                known));
  }
  auto nodes = session.target().nodes();
  if (!nodes) return std::unexpected(std::move(nodes.error()));
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> names;
  if (quantity->value == nullptr) {
    auto found = functions(session);
    if (!found) return std::unexpected(std::move(found.error()));
    names = std::move(*found);
  }
  Map map(session, *quantity);
  for (const d1_debug_node& node : *nodes) {
    if (!place->contains(node.die, node.node)) continue;
    if (quantity->value != nullptr) {
      map.add(node, quantity->value(session, node));
    } else {
      const std::string& name = names[{node.die, node.node}];
      map.add(node, {name.empty() ? "no kernel" : name, 0});
    }
  }
  return map.draw(*place);
}

}  // namespace d1::inspect
