// SPDX-License-Identifier: Apache-2.0
// From a fault of a plan to one of this machine: places are checked, and what is left open is
// chosen by the seed.
#include <fmt/format.h>

#include <d1/abi/memory_map.h>

#include "faults/fault_injector.hpp"
#include "mix.hpp"

namespace d1::emulator {

namespace {

// Who asked a daemon for its end at once is answered before.
constexpr std::chrono::milliseconds kDaemonGrace{20};

// Numbers that follow from a seed alone.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(mix(seed + 1)) {}
  std::uint64_t below(std::uint64_t end) { return mix(seed_ + ++draws_) % end; }
  std::uint64_t within(FaultNumber range) {
    return range.first + below(range.last - range.first + 1);
  }

 private:
  std::uint64_t seed_, draws_ = 0;
};

bool of_daemon(FaultKind kind) {
  return kind == FaultKind::DaemonKill || kind == FaultKind::DaemonStop ||
         kind == FaultKind::DaemonRestart;
}

std::string_view name_of(Direction direction) {
  constexpr std::string_view kNames[] = {"east", "west", "south", "north"};
  return kNames[static_cast<std::size_t>(direction)];
}

// The neighbour in a direction, if there is one.
std::optional<NodeId> neighbour(const Geometry& geometry, NodeId node, Direction direction) {
  std::int64_t row = geometry.mesh_row(node), column = geometry.mesh_column(node);
  switch (direction) {
    case Direction::East: ++column; break;
    case Direction::West: --column; break;
    case Direction::South: ++row; break;
    case Direction::North: --row; break;
  }
  if (row < 0 || column < 0 || row >= geometry.mesh_rows() || column >= geometry.mesh_columns())
    return std::nullopt;
  const NodeId there =
      geometry.at(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(column));
  return geometry.usable(there) ? std::optional(there) : std::nullopt;
}

std::string text_of(const Geometry& geometry, NodeId node) {
  const std::uint32_t columns = geometry.machine().die_columns;
  return fmt::format("die{}/n{},{}", node.die, node.node / columns, node.node % columns);
}

}  // namespace

Result<FaultInjector::Armed> FaultInjector::arm(const Fault& fault, std::uint64_t seed) const {
  Armed armed;
  armed.fault = fault;
  armed.seed = seed;
  armed.name = info_of(fault.kind).name;
  Fault& chosen = armed.fault;
  Dice dice(mix(seed));
  if (fault.at_cycle) {
    const std::uint64_t cycle = dice.within(*fault.at_cycle);
    chosen.at_cycle = FaultNumber{cycle, cycle};
  }
  if (fault.at_command) {
    const std::uint64_t command = dice.within(*fault.at_command);
    chosen.at_command = FaultNumber{command, command};
  }
  const auto now = Clock::now();
  if (fault.at_ms) armed.begins_when = now + *fault.at_ms;
  const bool at_once = !fault.at_cycle && !fault.at_command && !fault.at_ms && !fault.chance;
  if (at_once && of_daemon(fault.kind)) {
    chosen.at_ms = kDaemonGrace;
    armed.begins_when = now + kDaemonGrace;
  }
  if (auto placed = place(armed); !placed) return std::unexpected(std::move(placed.error()));
  return armed;
}

Result<> FaultInjector::place(Armed& armed) const {
  Fault& fault = armed.fault;
  const std::uint16_t keys = info_of(fault.kind).keys;
  if (keys & FaultKindInfo::Node)
    if (auto placed = place_node(armed); !placed) return placed;
  if (keys & FaultKindInfo::Link)
    if (auto placed = place_link(armed); !placed) return placed;
  Dice dice(mix(armed.seed ^ 2));
  if (keys & FaultKindInfo::Hart) {
    if (!fault.hart) fault.hart = static_cast<std::uint32_t>(dice.below(isa::kHartsPerNode));
    armed.name += fmt::format("/h{}", *fault.hart);
  }
  if (keys & FaultKindInfo::Die) {
    const std::uint32_t dies = machine_.geometry().die_count();
    if (!fault.die) fault.die = static_cast<std::uint32_t>(dice.below(dies));
    if (*fault.die >= dies)
      return fail(ErrorKind::Invalid, fmt::format("A fault of kind {} names die {}; this device "
                                                  "has {}, from 0 on.",
                                                  armed.name, *fault.die, dies));
    armed.name += fmt::format(" die{}", *fault.die);
  }
  if (keys & FaultKindInfo::Address) {
    const bool hbm = fault.kind == FaultKind::HbmFlip;
    const std::uint64_t first = hbm ? 0 : D1_NULL_BYTES;
    const std::uint64_t end = hbm ? machine_.hbm_bytes() : D1_SRAM_BYTES;
    if (!fault.address) fault.address = first + dice.below(end - first);
    if (*fault.address < first || *fault.address >= end)
      return fail(ErrorKind::Invalid,
                  fmt::format("A fault of kind {} names the address {:#x}; it must be an offset "
                              "from {:#x} to {:#x}.",
                              armed.name, *fault.address, first, end - 1));
    if (!fault.bit) fault.bit = static_cast<std::uint32_t>(dice.below(8));
    armed.name += fmt::format(" {:#x} bit {}, {}", *fault.address, *fault.bit,
                              fault.corrected ? "corrected" : "uncorrected");
  }
  if (fault.queue) armed.name += fmt::format(" queue {}", *fault.queue);
  if (keys & FaultKindInfo::Factor) armed.name += fmt::format(" by {}", fault.factor);
  return {};
}

Result<> FaultInjector::place_node(Armed& armed) const {
  const Geometry& geometry = machine_.geometry();
  const MachineDescription& machine = geometry.machine();
  NodeId node;
  if (const auto& named = armed.fault.node) {
    const std::uint64_t number =
        std::uint64_t{named->row} * machine.die_columns + named->column;
    if (named->row >= machine.die_rows || named->column >= machine.die_columns ||
        !geometry.usable(named->die, static_cast<std::uint32_t>(number)))
      return fail(ErrorKind::Invalid,
                  fmt::format("A fault of kind {} names die{}/n{},{}, which is no node of this "
                              "device; it has {} dies of {} x {} positions, of which some are "
                              "missing.",
                              armed.name, named->die, named->row, named->column,
                              machine.die_count(), machine.die_rows, machine.die_columns));
    node = {static_cast<std::uint16_t>(named->die), static_cast<std::uint16_t>(number)};
  } else {
    Dice dice(mix(armed.seed ^ 1));
    do {
      node = {static_cast<std::uint16_t>(dice.below(geometry.die_count())),
              static_cast<std::uint16_t>(dice.below(geometry.node_positions()))};
    } while (!geometry.usable(node));
  }
  armed.node = machine_.id_of(node);
  armed.name += " " + text_of(geometry, node);
  return {};
}

Result<> FaultInjector::place_link(Armed& armed) const {
  const Geometry& geometry = machine_.geometry();
  if (armed.fault.node) {
    if (auto placed = place_node(armed); !placed) return placed;
    const auto end = neighbour(geometry, machine_.place(armed.node), *armed.fault.direction);
    armed.name += fmt::format("/{}", name_of(*armed.fault.direction));
    if (!end)
      return fail(ErrorKind::Invalid, fmt::format("A fault names the link {}, but there is no node "
                                                  "on that side.",
                                                  armed.name));
    armed.link_end = *end;
    return {};
  }
  Dice dice(mix(armed.seed ^ 3));
  for (unsigned tries = 0; tries < 10'000; ++tries) {
    const NodeId node = {static_cast<std::uint16_t>(dice.below(geometry.die_count())),
                         static_cast<std::uint16_t>(dice.below(geometry.node_positions()))};
    const auto direction = static_cast<Direction>(dice.below(direction_count));
    if (!geometry.usable(node)) continue;
    const auto end = neighbour(geometry, node, direction);
    if (!end) continue;
    armed.node = machine_.id_of(node);
    armed.link_end = *end;
    armed.name += fmt::format(" {}/{}", text_of(geometry, node), name_of(direction));
    return {};
  }
  return fail(ErrorKind::Invalid,
              fmt::format("A fault of kind {} needs a link, and this device has none.",
                          armed.name));
}

Result<> FaultInjector::add(const FaultPlan& plan, bool in_daemon) {
  std::vector<Armed> added;
  for (const Fault& fault : plan.faults) {
    if (of_daemon(fault.kind) && !in_daemon)
      return fail(ErrorKind::Unsupported,
                  fmt::format("A fault of kind {} needs a daemon ('d1 serve'); this device is part "
                              "of the program that uses it.",
                              info_of(fault.kind).name));
    auto armed = arm(fault, mix(plan.seed) + added.size());
    if (!armed) return std::unexpected(std::move(armed.error()));
    armed->number = given_ + added.size() + 1;
    added.push_back(std::move(*armed));
  }
  given_ += added.size();
  links_.set_seed(plan.seed);
  for (Armed& armed : added) faults_.push_back(std::move(armed));
  apply();
  return {};
}

}  // namespace d1::emulator
