// SPDX-License-Identifier: Apache-2.0
// Whether what was launched can still end.
#include <fmt/format.h>
#include <d1/abi/commands.h>
#include <d1/runtime/hart_state.hpp>

#include <algorithm>
#include <map>

#include "verbs.hpp"

namespace d1::inspect {
namespace {

using nlohmann::ordered_json;

std::string what_of(Session& session, const d1_debug_wait& wait, std::uint64_t program) {
  switch (wait.state) {
    case D1_DEBUG_WAIT_ENDED: return "has ended the kernel";
    case D1_DEBUG_WAIT_STOPPED: return "was stopped by a trap";
    default: break;
  }
  d1_hart_report report{};
  report.status = wait.state == D1_DEBUG_WAIT_WAITS ? D1_HART_PARKED : D1_HART_RUNNABLE;
  report.wait_kind = wait.kind;
  report.wait_index = wait.index;
  report.wait_amount = wait.amount;
  report.wait_value = wait.value;
  std::string text = runtime::describe(report);
  if (wait.state == D1_DEBUG_WAIT_HELD) text = "held by a fault";
  if (wait.kind == D1_WAIT_NODE_BARRIER && wait.missing != 0)
    text += fmt::format(" (which misses {} harts)", wait.missing);
  if (wait.kind == D1_WAIT_GRID_BARRIER && wait.missing != 0)
    text += fmt::format(" (which misses {} nodes)", wait.missing);
  return fmt::format("{}, in {}", text, session.symbols().text(program, wait.pc));
}

std::string verdict_of(const d1_debug_verdict& head) {
  switch (head.state) {
    case D1_DEBUG_IDLE: return "Nothing is launched.\n";
    case D1_DEBUG_STANDS:
      return "Proven: a launch can never end. Nobody and nothing in the machine can let the harts "
             "below go on.\n";
    default: break;
  }
  std::string text = fmt::format("It may still end: {} harts can run", head.runnable_harts);
  if (head.packets_in_flight != 0)
    text += fmt::format(", {} packets are on their way", head.packets_in_flight);
  if (head.held_harts != 0) text += fmt::format(", faults hold {} harts", head.held_harts);
  if (head.commands != 0) text += fmt::format(", {} queues have commands", head.commands);
  if (head.host_interactive != 0)
    text += fmt::format(", the host takes part in {} launches", head.host_interactive);
  return text + ".\n";
}

}  // namespace

Result<Answer> show_stuck(Session& session, Words) {
  auto verdict = session.target().verdict();
  if (!verdict) return std::unexpected(std::move(verdict.error()));
  auto nodes = session.target().nodes();
  if (!nodes) return std::unexpected(std::move(nodes.error()));
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> programs;
  for (const d1_debug_node& node : *nodes) programs[{node.die, node.node}] = node.program;
  const d1_debug_verdict& head = verdict->head;
  constexpr const char* kStates[] = {"idle", "moves", "stands"};
  Answer answer;
  answer.text = verdict_of(head);
  answer.document = {{"state", kStates[std::min(head.state, 2u)]},
                     {"cycle", session.target().cycle()},
                     {"runnable_harts", head.runnable_harts},
                     {"packets_in_flight", head.packets_in_flight},
                     {"groups", ordered_json::array()}};
  struct Group {
    std::size_t harts = 0;
    std::string example;
  };
  std::map<std::pair<bool, std::string>, Group> groups;  // by whether they can never go on
  for (const d1_debug_wait& wait : verdict->waits) {
    const std::string what = what_of(session, wait, programs[{wait.die, wait.node}]);
    Group& group = groups[{wait.stuck == 0, what}];
    if (group.harts++ != 0) continue;
    group.example = name_of(session.mesh(), wait.die, wait.node, wait.hart);
    if (wait.for_hart < D1_HARTS)
      group.example += fmt::format(" (for {})", name_of(session.mesh(), wait.for_die,
                                                        wait.for_node, wait.for_hart));
  }
  for (const auto& [key, group] : groups) {
    answer.text += fmt::format("{:>7} {} {}\n        as {}\n", group.harts,
                               key.first ? "      " : "stuck:", key.second, group.example);
    answer.document["groups"].push_back({{"harts", group.harts},
                                         {"stuck", !key.first},
                                         {"what", key.second},
                                         {"example", group.example}});
  }
  return answer;
}

}  // namespace d1::inspect
