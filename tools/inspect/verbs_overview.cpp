// SPDX-License-Identifier: Apache-2.0
// What the whole device does.
#include <fmt/format.h>
#include <d1/abi/commands.h>
#include <d1/abi/memory_map.h>
#include <d1/runtime/hart_state.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "verbs.hpp"

namespace d1::inspect {
namespace {

using nlohmann::ordered_json;

bool in_rom(std::uint64_t pc) { return pc >= D1_ROM_BASE; }

// A hart that has no part in a launch waits for one in the boot ROM.
bool idles(const d1_hart_report& hart) {
  return hart.status == D1_HART_PARKED && in_rom(hart.pc);
}

}  // namespace

Result<Answer> show_machine(Session& session, Words) {
  auto machine = session.target().machine();
  if (!machine) return std::unexpected(std::move(machine.error()));
  const bool running = (machine->flags & D1_DEBUG_RUNNING) != 0;
  const bool host = (machine->flags & D1_DEBUG_HAS_HOST) != 0;
  const std::uint64_t cycle = session.target().cycle();
  Answer answer;
  answer.document = {{"machine", machine->name},
                     {"dies", machine->die_rows * machine->die_columns},
                     {"nodes", machine->nodes},
                     {"hbm_bytes", machine->hbm_bytes},
                     {"clock_hz", machine->clock_hz},
                     {"cycle", cycle},
                     {"instructions", machine->instructions},
                     {"packets", machine->packets},
                     {"packet_bytes", machine->packet_bytes},
                     {"process", machine->process},
                     {"has_host", host},
                     {"running", running},
                     {"halts", machine->halts}};
  answer.text = fmt::format(
      "{}: machine '{}', {} x {} dies of {} x {} positions, {} nodes, {:.0f} GiB HBM\n"
      "  process {}, {}; {}\n"
      "  cycle {}, {} instructions retired, {} packets with {} bytes sent\n",
      session.target().description(), machine->name, machine->die_rows, machine->die_columns,
      machine->node_rows, machine->node_columns, machine->nodes,
      static_cast<double>(machine->hbm_bytes) / (1u << 30), machine->process,
      host ? "a host uses it" : "no host uses it",
      machine->halts != 0 ? fmt::format("halted by {} tools", machine->halts)
      : running           ? "nodes run"
                          : "no node can run now",
      cycle, machine->instructions, machine->packets, machine->packet_bytes);
  return answer;
}

Result<Answer> show_where(Session& session, Words words) {
  constexpr std::size_t kExamples = 4;
  auto place = session.place(words);
  if (!place) return std::unexpected(std::move(place.error()));
  auto harts = session.target().harts();
  if (!harts) return std::unexpected(std::move(harts.error()));
  struct Group {
    std::size_t harts = 0;
    const d1_debug_hart* first = nullptr;
    std::vector<std::string> examples;
  };
  std::map<std::string, Group> groups;
  // Harts at one place that wait for one thing are many: their text is made once.
  std::map<std::array<std::uint64_t, 7>, Group*> known;
  std::size_t total = 0;
  for (const d1_debug_hart& hart : *harts) {
    const d1_hart_report& report = hart.report;
    if (!place->contains(report.die, report.node, report.hart)) continue;
    ++total;
    const bool idle = idles(report);
    Group*& group = known[{hart.program, idle ? 0 : report.pc, report.status, report.wait_kind,
                           idle ? 0 : report.wait_index, idle ? 0 : report.wait_amount,
                           idle ? 0 : report.wait_value}];
    if (group == nullptr) {
      const std::string text =
          idle ? "idle (in the dispatch loop)"
               : fmt::format("{}, in {}", runtime::describe(report),
                             session.symbols().text(hart.program, report.pc));
      group = &groups[text];
    }
    if (group->harts++ == 0) group->first = &hart;
    if (group->examples.size() < kExamples)
      group->examples.push_back(name_of(session.mesh(), report.die, report.node, report.hart));
  }
  std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(),
                           [](const auto& each) { return each.second.harts; });
  Answer answer;
  answer.text = fmt::format("{} harts that are not in reset, at cycle {}\n", total,
                            session.target().cycle());
  ordered_json list = ordered_json::array();
  for (const auto& [text, group] : sorted) {
    answer.text += fmt::format("{:>7}  {}\n         on {}{}\n", group.harts, text,
                               fmt::join(group.examples, " "),
                               group.harts > group.examples.size() ? " ..." : "");
    const auto& at = session.symbols().place(group.first->program, group.first->report.pc);
    list.push_back({{"harts", group.harts},
                    {"what", text},
                    {"function", at.function},
                    {"file", at.file},
                    {"line", at.line},
                    {"examples", group.examples}});
  }
  answer.document = {{"cycle", session.target().cycle()}, {"harts", total}, {"groups", list}};
  return answer;
}

Result<Answer> show_programs(Session& session, Words) {
  auto programs = session.target().programs();
  if (!programs) return std::unexpected(std::move(programs.error()));
  Answer answer;
  answer.document = ordered_json::array();
  answer.text = fmt::format("{:>8} {:>10} {:>10} {:>7}  {}\n", "program", "at", "bytes", "nodes",
                            "kernels");
  for (const d1_debug_program& each : *programs) {
    ordered_json kernels = ordered_json::array();
    std::string names;
    if (const runtime::ElfImage* image = session.symbols().image(each.id); image != nullptr)
      for (const runtime::Symbol& kernel : image->kernels()) {
        kernels.push_back(kernel.name);
        names += (names.empty() ? "" : ", ") + kernel.name;
      }
    if (each.elf_bytes == 0) names = "(nobody told the device the file it is from)";
    answer.text += fmt::format("{:>8} {:>#10x} {:>10} {:>7}  {}\n", each.id, each.base, each.bytes,
                               each.nodes, names);
    answer.document.push_back({{"program", each.id},
                               {"base", each.base},
                               {"bytes", each.bytes},
                               {"elf_bytes", each.elf_bytes},
                               {"nodes", each.nodes},
                               {"kernels", kernels}});
  }
  if (programs->empty()) answer.text = "No node has a program.\n";
  return answer;
}

Result<Answer> show_launches(Session& session, Words) {
  auto launches = session.target().launches();
  if (!launches) return std::unexpected(std::move(launches.error()));
  const std::uint64_t cycle = session.target().cycle();
  Answer answer;
  answer.document = ordered_json::array();
  if (launches->empty()) answer.text = "Nothing is launched.\n";
  for (const d1_debug_launch& each : *launches) {
    const std::string kernel = session.symbols().function_at(each.program, each.entry);
    const std::string first = name_of(session.mesh(), each.first_die, each.first_node);
    answer.text += fmt::format(
        "launch {}: {} on {} x {} nodes from {} on, {} harts each, since {} cycles; {} of {} nodes "
        "have not ended (queue {})\n",
        each.id, kernel.empty() ? fmt::format("{:#x}", each.entry) : kernel, each.grid_rows,
        each.grid_columns, first, each.harts, cycle - std::min(cycle, each.start_cycle),
        each.outstanding, each.nodes, each.queue);
    answer.document.push_back({{"launch", each.id},
                               {"kernel", kernel},
                               {"entry", each.entry},
                               {"first", first},
                               {"rows", each.grid_rows},
                               {"columns", each.grid_columns},
                               {"harts", each.harts},
                               {"nodes", each.nodes},
                               {"outstanding", each.outstanding},
                               {"start_cycle", each.start_cycle},
                               {"queue", each.queue}});
  }
  return answer;
}

Result<Answer> show_queues(Session& session, Words) {
  const auto name_of_command = [](unsigned opcode) -> std::string {
    switch (opcode) {
#define D1_NAME(code, name) case code: return name;
      D1_COMMAND_NAMES(D1_NAME)
#undef D1_NAME
      default: return fmt::format("command {:#x}", opcode);
    }
  };
  auto queues = session.target().queues();
  if (!queues) return std::unexpected(std::move(queues.error()));
  Answer answer;
  answer.document = ordered_json::array();
  answer.text = fmt::format("{:>5} {:>8} {:>8} {:>8} {:>10}  {}\n", "queue", "entries", "waiting",
                            "unread", "completed", "under way");
  for (const d1_debug_queue& each : *queues) {
    ordered_json under_way;
    std::string text = "-";
    if (each.busy != 0) {
      const std::string name = name_of_command(each.opcode);
      under_way = {{"command", name}, {"id", each.id}, {"started_cycle", each.started_cycle}};
      text = fmt::format("{} (number {}) since cycle {}", name, each.id, each.started_cycle);
    }
    answer.text += fmt::format("{:>5} {:>8} {:>8} {:>8} {:>10}  {}\n", each.queue, each.entries,
                               each.depth, each.unread, each.completed, text);
    answer.document.push_back({{"queue", each.queue},
                               {"entries", each.entries},
                               {"depth", each.depth},
                               {"unread", each.unread},
                               {"completed", each.completed},
                               {"under_way", under_way}});
  }
  if (queues->empty()) answer.text = "No queue is in use: no host has the device.\n";
  return answer;
}

}  // namespace d1::inspect
