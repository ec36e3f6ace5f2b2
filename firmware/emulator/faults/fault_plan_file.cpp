// SPDX-License-Identifier: Apache-2.0
// Fault plans: TOML in, checked faults or one error with its place out.
#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>
#include <d1/abi/registers.h>

#include "d1/emulator/fault_plan.hpp"

namespace d1::emulator {
namespace {

constexpr std::uintmax_t kMostBytes = 1u << 20;
constexpr std::size_t kMostFaults = 1024;             // own
constexpr std::uint64_t kMostMilliseconds = 86'400'000;  // a day
constexpr std::uint64_t kMostFactor = 1000;           // own
constexpr std::uint64_t kMostCycles = std::uint64_t{1} << 60;  // ticks fit 64 bits

struct NamedDirection {
  std::string_view name;
  Direction direction;
};
constexpr NamedDirection kDirections[] = {{"east", Direction::East},
                                          {"west", Direction::West},
                                          {"south", Direction::South},
                                          {"north", Direction::North}};

// The number that the text begins with, which is cut off; nothing if it begins with none.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// [dieD/]nROW,COLUMN; what is behind it is left in `text`.
std::optional<FaultNode> take_node(std::string_view& text) {
  FaultNode node;
  if (take(text, "die")) {
    const auto die = take_number(text);
    if (!die || !take(text, "/")) return std::nullopt;
    node.die = *die;
  }
  if (!take(text, "n")) return std::nullopt;
  const auto row = take_number(text);
  if (!row || !take(text, ",")) return std::nullopt;
  const auto column = take_number(text);
  if (!column) return std::nullopt;
  node.row = *row;
  node.column = *column;
  return node;
}

class Reader {
 public:
  explicit Reader(const std::string& origin) : origin_(origin) {}

  static std::vector<std::string_view> key_names(const FaultKindInfo& info) {
    std::vector<std::string_view> names;
    for (const Key& key : keys())
      if (takes(info, key)) names.push_back(key.name);
    return names;
  }

  Result<FaultPlan> read(const toml::table& file) const {
    FaultPlan plan;
    for (const auto& [key, value] : file)
      if (key.str() != "seed" && key.str() != "fault")
        return error_at(key.source(), fmt::format("Unknown key {} in a fault plan; its keys are "
                                                  "seed and [[fault]].",
                                                  key.str()));
    if (const toml::node* seed = file.get("seed")) {
      auto value = number(*seed, "seed", 0, INT64_MAX);
      if (!value) return std::unexpected(value.error());
      plan.seed = *value;
    }
    const toml::node* list = file.get("fault");
    if (list == nullptr || !list->is_array_of_tables())
      return error_at(list != nullptr ? list->source() : file.source(),
                      "A fault plan has a table for each fault: [[fault]] with a kind.");
    if (list->as_array()->size() > kMostFaults)
      return error_at(list->source(), fmt::format("{} faults are too many; a plan has {} at most.",
                                                  list->as_array()->size(), kMostFaults));
    for (const toml::node& entry : *list->as_array()) {
      auto fault = read_fault(*entry.as_table());
      if (!fault) return std::unexpected(fault.error());
      plan.faults.push_back(*fault);
    }
    return plan;
  }

  [[nodiscard]] std::unexpected<Error> error_at(const toml::source_region& place,
                                                const std::string& sentence) const {
    return fail(ErrorKind::Invalid, fmt::format("{}:{}:{}: {}", origin_, place.begin.line,
                                                place.begin.column, sentence));
  }

 private:
  using Step = Result<> (Reader::*)(Fault&, const toml::node&) const;
  struct Key {
    std::string_view name;
    std::uint16_t need;  // FaultKindInfo::Keys, one of which the kind must have; 0: none
    Step read;
  };

  Result<Fault> read_fault(const toml::table& table) const {
    Fault fault;
    const toml::node* kind = table.get("kind");
    if (kind == nullptr || !kind->is_string())
      return error_at(kind != nullptr ? kind->source() : table.source(),
                      "A [[fault]] needs a kind, a string; 'd1 fault --kinds' lists them.");
    const auto kinds = fault_kinds();
    const auto info = std::ranges::find(kinds, kind->as_string()->get(), &FaultKindInfo::name);
    if (info == kinds.end())
      return error_at(kind->source(),
                      fmt::format("There is no kind of fault '{}'; 'd1 fault --kinds' lists them.",
                                  kind->as_string()->get()));
    fault.kind = info->kind;
    for (const auto& [key, value] : table) {
      if (key.str() == "kind") continue;
      const auto known = std::ranges::find(keys(), key.str(), &Key::name);
      if (known == keys().end() || !takes(*info, *known))
        return error_at(key.source(), fmt::format("A fault of kind {} has no key {}; its keys are "
                                                  "{}.",
                                                  info->name, key.str(),
                                                  fmt::join(fault_keys(info->kind), ", ")));
      if (auto done = (this->*known->read)(fault, value); !done)
        return std::unexpected(done.error());
    }
    if (auto sound = check(fault, *info, table); !sound) return std::unexpected(sound.error());
    return fault;
  }

  [[nodiscard]] static std::span<const Key> keys() {
    using Info = FaultKindInfo;
    static constexpr Key kKeys[] = {{"node", Info::Node, &Reader::read_node},
                                    {"hart", Info::Hart, &Reader::read_hart},
                                    {"link", Info::Link, &Reader::read_link},
                                    {"die", Info::Die, &Reader::read_die},
                                    {"address", Info::Address, &Reader::read_address},
                                    {"bit", Info::Bit, &Reader::read_bit},
                                    {"corrected", Info::Corrected, &Reader::read_corrected},
                                    {"queue", Info::Queue, &Reader::read_queue},
                                    {"opcode", Info::Opcode, &Reader::read_opcode},
                                    {"factor", Info::Factor, &Reader::read_factor},
                                    {"delay_ms", Info::Delay, &Reader::read_delay},
                                    {"at_cycle", 0, &Reader::read_at_cycle},
                                    {"at_command", 0, &Reader::read_at_command},
                                    {"at_ms", 0, &Reader::read_at_ms},
                                    {"chance", 0, &Reader::read_chance},
                                    {"for_cycles", 0, &Reader::read_for_cycles},
                                    {"for_ms", 0, &Reader::read_for_ms},
                                    {"times", 0, &Reader::read_times}};
    return kKeys;
  }

  // A state ends; what hits commands counts them; what begins by chance can do so several times.
  static bool takes(const FaultKindInfo& info, const Key& key) {
    if (key.name.starts_with("for_")) return info.lasts == FaultKindInfo::Span;
    return key.need == 0 || (info.keys & key.need) != 0;
  }


  Result<> check(const Fault& fault, const FaultKindInfo& info, const toml::table& table) const {
    const int whens = fault.at_cycle.has_value() + fault.at_command.has_value() +
                      fault.at_ms.has_value() + fault.chance.has_value();
    if (whens > 1)
      return error_at(table.source(), "A fault begins at one time: at_cycle, at_command, at_ms or "
                                      "chance, not several of them.");
    if (fault.for_cycles && fault.for_ms)
      return error_at(table.source(), "A fault ends once: for_cycles or for_ms, not both.");
    if (fault.times && info.lasts != FaultKindInfo::Hits && !fault.chance)
      return error_at(table.source(),
                      fmt::format("A fault of kind {} begins once; times is for those that begin "
                                  "by chance.",
                                  info.name));
    if (fault.kind == FaultKind::PcieRetrain && !fault.for_ms)
      return error_at(table.source(),
                      "pcie_retrain needs for_ms: a link that stays down is surprise_removal.");
    const bool frozen = fault.kind == FaultKind::PcieRetrain ||
                        fault.kind == FaultKind::DaemonStop ||
                        fault.kind == FaultKind::SurpriseRemoval;
    if (frozen && fault.for_cycles)
      return error_at(table.source(), fmt::format("While there is {} no emulated time passes; say "
                                                  "for_ms, not for_cycles.",
                                                  info.name));
    return {};
  }

  Result<std::uint64_t> number(const toml::node& node, std::string_view what, std::uint64_t minimum,
                               std::uint64_t maximum) const {
    const auto integer = node.as_integer();
    const std::int64_t value = integer != nullptr ? integer->get() : -1;
    if (integer == nullptr || value < 0 || static_cast<std::uint64_t>(value) < minimum ||
        static_cast<std::uint64_t>(value) > maximum)
      return error_at(node.source(), fmt::format("{} must be a whole number from {} to {}.", what,
                                                 minimum, maximum));
    return static_cast<std::uint64_t>(value);
  }

  Result<FaultNumber> range(const toml::node& node, std::string_view what, std::uint64_t minimum,
                            std::uint64_t maximum) const {
    const toml::array* ends = node.as_array();
    if (ends == nullptr) {
      auto value = number(node, what, minimum, maximum);
      if (!value) return std::unexpected(value.error());
      return FaultNumber{*value, *value};
    }
    if (ends->size() != 2)
      return error_at(node.source(),
                      fmt::format("{} is a number, or a range [first, last] of which the seed "
                                  "chooses one.",
                                  what));
    auto first = number(*ends->get(0), what, minimum, maximum);
    if (!first) return std::unexpected(first.error());
    auto last = number(*ends->get(1), what, *first, maximum);
    if (!last) return std::unexpected(last.error());
    return FaultNumber{*first, *last};
  }

  template <typename Number>
  Result<> set(std::optional<Number>& field, const toml::node& node, std::string_view what,
               std::uint64_t minimum, std::uint64_t maximum) const {
    auto value = number(node, what, minimum, maximum);
    if (!value) return std::unexpected(value.error());
    field = Number(*value);
    return {};
  }
  Result<> set(std::optional<FaultNumber>& field, const toml::node& node, std::string_view what,
               std::uint64_t minimum, std::uint64_t maximum) const {
    auto value = range(node, what, minimum, maximum);
    if (!value) return std::unexpected(value.error());
    field = *value;
    return {};
  }

  Result<> read_node(Fault& fault, const toml::node& node) const {
    std::string_view text = node.is_string() ? std::string_view(node.as_string()->get()) : "";
    fault.node = take_node(text);
    if (!fault.node || !text.empty())
      return error_at(node.source(), "node is written as \"die0/n7,12\": die, row, column.");
    return {};
  }
  Result<> read_link(Fault& fault, const toml::node& node) const {
    std::string_view text = node.is_string() ? std::string_view(node.as_string()->get()) : "";
    fault.node = take_node(text);
    const bool slash = fault.node && take(text, "/");
    const auto found = std::ranges::find(kDirections, text, &NamedDirection::name);
    if (!slash || found == std::end(kDirections))
      return error_at(node.source(), "link is written as \"die0/n7,12/east\": the node it leaves, "
                                     "and east, west, south or north.");
    fault.direction = found->direction;
    return {};
  }
  Result<> read_hart(Fault& fault, const toml::node& node) const {
    return set(fault.hart, node, "hart", 0, D1_HARTS - 1);
  }
  Result<> read_die(Fault& fault, const toml::node& node) const {
    return set(fault.die, node, "die", 0, maximum_dies - 1);
  }
  Result<> read_address(Fault& fault, const toml::node& node) const {
    return set(fault.address, node, "address", 0, INT64_MAX);
  }
  Result<> read_bit(Fault& fault, const toml::node& node) const {
    return set(fault.bit, node, "bit", 0, 7);
  }
  Result<> read_queue(Fault& fault, const toml::node& node) const {
    return set(fault.queue, node, "queue", 0, D1_QUEUE_PAIRS - 1);
  }
  Result<> read_at_cycle(Fault& fault, const toml::node& node) const {
    return set(fault.at_cycle, node, "at_cycle", 0, kMostCycles);
  }
  Result<> read_at_command(Fault& fault, const toml::node& node) const {
    return set(fault.at_command, node, "at_command", 1, INT64_MAX);
  }
  Result<> read_at_ms(Fault& fault, const toml::node& node) const {
    return set(fault.at_ms, node, "at_ms", 0, kMostMilliseconds);
  }
  Result<> read_for_cycles(Fault& fault, const toml::node& node) const {
    return set(fault.for_cycles, node, "for_cycles", 1, kMostCycles);
  }
  Result<> read_for_ms(Fault& fault, const toml::node& node) const {
    return set(fault.for_ms, node, "for_ms", 1, kMostMilliseconds);
  }
  Result<> read_times(Fault& fault, const toml::node& node) const {
    return set(fault.times, node, "times", 1, INT64_MAX);
  }
  Result<> read_factor(Fault& fault, const toml::node& node) const {
    auto value = number(node, "factor", 2, kMostFactor);
    if (!value) return std::unexpected(value.error());
    fault.factor = static_cast<std::uint32_t>(*value);
    return {};
  }
  Result<> read_delay(Fault& fault, const toml::node& node) const {
    auto value = number(node, "delay_ms", 1, kMostMilliseconds);
    if (!value) return std::unexpected(value.error());
    fault.delay = std::chrono::milliseconds(*value);
    return {};
  }
  Result<> read_corrected(Fault& fault, const toml::node& node) const {
    if (!node.is_boolean()) return error_at(node.source(), "corrected is true or false.");
    fault.corrected = node.as_boolean()->get();
    return {};
  }
  Result<> read_chance(Fault& fault, const toml::node& node) const {
    const auto value = node.value<double>().value_or(-1);
    if (!(value > 0 && value <= 1))
      return error_at(node.source(), "chance is a number above 0, up to 1.");
    fault.chance = value;
    return {};
  }
  Result<> read_opcode(Fault& fault, const toml::node& node) const {
    const std::string text = node.value<std::string>().value_or("");
#define D1_OPCODE(code, name) \
  if (text == (name)) fault.opcode = code;
    D1_COMMAND_NAMES(D1_OPCODE)
#undef D1_OPCODE
    if (fault.opcode) return {};
    std::string names;
#define D1_OPCODE(code, name) names += std::string(names.empty() ? "" : ", ") + (name);
    D1_COMMAND_NAMES(D1_OPCODE)
#undef D1_OPCODE
    return error_at(node.source(), fmt::format("opcode is one of {}.", names));
  }

  const std::string& origin_;
};

}  // namespace

std::vector<std::string_view> fault_keys(FaultKind kind) {
  return Reader::key_names(info_of(kind));
}

Result<FaultPlan> parse_fault_plan(std::string_view text, const std::string& origin) {
  const Reader reader(origin);
  if (text.size() > kMostBytes)
    return fail(ErrorKind::Invalid, fmt::format("The fault plan {} has {} bytes; at most {} are "
                                                "read.",
                                                origin, text.size(), kMostBytes));
  try {
    const toml::table file = toml::parse(text, std::string_view(origin));
    return reader.read(file);
  } catch (const toml::parse_error& error) {
    return reader.error_at(error.source(),
                           fmt::format("This is not TOML: {}.", error.description()));
  }
}

Result<FaultPlan> load_fault_plan(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (stream) text << stream.rdbuf();
  std::error_code code;
  if (!stream || !text || !std::filesystem::is_regular_file(path, code))
    return fail(ErrorKind::Invalid, fmt::format("The fault plan {} cannot be read; give the path "
                                                "of a TOML file.",
                                                path));
  return parse_fault_plan(text.str(), path);
}

}  // namespace d1::emulator
