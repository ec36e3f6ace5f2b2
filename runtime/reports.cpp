// SPDX-License-Identifier: Apache-2.0
// What went wrong on the nodes, in words: traps and hangs.
#include <fmt/format.h>
#include <d1/isa/hart.hpp>
#include <d1/isa/instruction.hpp>
#include <d1/isa/trap.hpp>
#include <d1/runtime/hart_state.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "stream_core.hpp"

namespace d1::runtime {
namespace {

std::string cause_text(std::uint64_t cause, std::uint64_t value) {
  if (cause == (isa::kInterruptBit | static_cast<std::uint64_t>(isa::Interrupt::Ecc)))
    return fmt::format("an error at {:#x} that memory could not correct (ECC)", value);
  if (cause & isa::kInterruptBit) return fmt::format("interrupt {}", cause & ~isa::kInterruptBit);
  switch (static_cast<isa::Cause>(cause)) {
    case isa::Cause::FetchMisaligned:
      return fmt::format("a jump to the misaligned address {:#x}", value);
    case isa::Cause::FetchAccess:
      return fmt::format("a jump to {:#x}, where no code was loaded", value);
    case isa::Cause::IllegalInstruction:
      // What clang plants is c.unimp, all zeroes.
      if (value == 0)
        return "a trap that the compiler put there: an integer division by zero, __builtin_trap(), "
               "or a place that cannot be reached";
      return fmt::format("an illegal instruction ({:#x})", value);
    case isa::Cause::Breakpoint:
      return "a breakpoint";
    case isa::Cause::LoadMisaligned:
      return fmt::format("a misaligned atomic load at {:#x}", value);
    case isa::Cause::LoadAccess:
      return fmt::format("a load from {:#x}, where there is no memory{}", value,
                         value < D1_NULL_BYTES ? " (a null pointer)" : "");
    case isa::Cause::StoreMisaligned:
      return fmt::format("a misaligned atomic access at {:#x}", value);
    case isa::Cause::StoreAccess:
      return fmt::format("a store to {:#x}, where there is no memory{}", value,
                         value < D1_NULL_BYTES ? " (a null pointer)" : "");
    case isa::Cause::EnvironmentCallM:
      return "an environment call (ecall), which nothing answers";
    case isa::Cause::Assert:
      return "a failed assertion";
    case isa::Cause::DescriptorFault:
      return fmt::format("a malformed transfer descriptor at {:#x}", value);
    case isa::Cause::SemaphoreFault:
      return fmt::format("a semaphore's number or count out of range ({})", value);
    case isa::Cause::GridFault:
      return fmt::format("the address {:#x}, which names no node of the launch's grid", value);
  }
  return fmt::format("cause {} (value {:#x})", cause, value);
}

// The text an assertion left in the node's memory; empty if it cannot be read.
std::string assertion_text(Context& context, const d1_launch_report& report) {
  constexpr std::uint64_t kMost = 512;
  const std::uint64_t offset = report.value;
  if (offset >= D1_SRAM_BYTES) return {};
  std::string text(std::min<std::uint64_t>(kMost, D1_SRAM_BYTES - offset), '\0');
  const std::uint64_t address =
      d1_node_address(report.failed_die, report.failed_node, static_cast<std::uint32_t>(offset));
  if (!context.device().transport().read_aperture(address, text.data(), text.size())) return {};
  text.resize(std::min(text.find('\0'), text.size()));
  const bool printable =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= ' ' || c == '\t'; });
  return printable ? text : std::string();
}

std::string instruction_at(const Program& program, std::uint64_t pc) {
  for (const Segment& segment : program.image().segments()) {
    if (segment.kind != SegmentKind::Executable || pc < segment.offset) continue;
    const std::uint64_t at = pc - segment.offset;
    if (at + 2 > segment.bytes.size()) continue;
    std::uint32_t bits = 0;
    std::memcpy(&bits, segment.bytes.data() + at,
                std::min<std::uint64_t>(4, segment.bytes.size() - at));
    const isa::Instruction decoded = isa::decode(bits);
    if (decoded.id == isa::InstructionId::Illegal) return {};  // the cause says all there is
    return isa::disassemble(decoded, pc);
  }
  return {};
}

bool is_code(const Program& program, std::uint64_t pc) {
  return std::ranges::any_of(program.image().segments(), [pc](const Segment& segment) {
    return segment.kind == SegmentKind::Executable && pc >= segment.offset &&
           pc - segment.offset < segment.bytes.size();
  });
}

}  // namespace

Error trap_error(Context& context, const Program& program, std::string_view kernel,
                 const Grid& grid, const d1_launch_report& report) {
  if (report.failed == 0) {
    return Error(ErrorKind::KernelTrap,
                 fmt::format("Kernel '{}' trapped, and the device gave no record of it.", kernel));
  }
  const std::uint32_t columns = grid.context().info().node_columns;
  std::string what = cause_text(report.cause, report.value);
  if (report.cause == static_cast<std::uint64_t>(isa::Cause::Assert)) {
    const std::string text = assertion_text(context, report);
    if (!text.empty()) what = text;
  }
  const std::string instruction = instruction_at(program, report.pc);
  std::string sentence = fmt::format(
      "Kernel '{}' trapped on die {}, node {} (row {}, column {}), hart {}: {}, at {}, pc "
      "{:#x}",
      kernel, report.failed_die, report.failed_node, report.failed_node / columns,
      report.failed_node % columns, report.failed_hart, what,
      to_string(program.place(report.pc), report.pc), report.pc);
  if (!instruction.empty()) sentence += fmt::format(", instruction '{}'", instruction);
  // A call to nowhere has left its place in ra.
  if (report.cause == static_cast<std::uint64_t>(isa::Cause::FetchAccess) &&
      is_code(program, report.ra - 1))
    sentence += fmt::format(", called from {}", to_string(program.place(report.ra - 1), report.ra));
  return Error(ErrorKind::KernelTrap, sentence + ".");
}

namespace {

struct Group {
  std::uint64_t harts = 0;
  std::vector<std::string> examples;
};

}  // namespace

std::string hang_report(Context& context, const Program* program, const Grid& grid) {
  constexpr std::size_t kExamples = 4, kGroups = 24;
  auto reports = context.query_harts(grid);
  if (!reports) {
    return fmt::format("What its harts do could not be found out: {}", reports.error().sentence());
  }
  const std::uint32_t columns = context.info().node_columns;
  std::map<std::uint64_t, std::string> places;  // by pc: the debug information is read once each
  std::map<std::string, Group> groups;
  for (const d1_hart_report& hart : *reports) {
    const auto status = static_cast<isa::HartStatus>(hart.status);
    std::string text;
    if (hart.pc >= D1_ROM_BASE && status == isa::HartStatus::Parked) {
      text = "not running the kernel (in the dispatch loop)";
    } else {
      std::string& place = places[hart.pc];
      if (place.empty()) {
        place = hart.pc >= D1_ROM_BASE ? "the boot ROM"
                : program              ? to_string(program->place(hart.pc), hart.pc)
                                       : fmt::format("{:#x}", hart.pc);
      }
      text = fmt::format("{}, in {}", describe(hart), place);
    }
    Group& group = groups[text];
    ++group.harts;
    if (group.examples.size() < kExamples) {
      group.examples.push_back(fmt::format("die {} row {} column {} hart {}", hart.die,
                                           hart.node / columns, hart.node % columns, hart.hart));
    }
  }
  std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.harts != b.second.harts ? a.second.harts > b.second.harts : a.first < b.first;
  });
  std::string text = fmt::format("Its {} harts:", reports->size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i == kGroups) {
      text += fmt::format("\n  ... and {} more groups", sorted.size() - kGroups);
      break;
    }
    text += fmt::format("\n  {:>7} {}", sorted[i].second.harts, sorted[i].first);
    text += fmt::format("\n          on {}", sorted[i].second.examples[0]);
    for (std::size_t e = 1; e < sorted[i].second.examples.size(); ++e) {
      text += "; " + sorted[i].second.examples[e];
    }
    if (sorted[i].second.harts > sorted[i].second.examples.size()) text += "; ...";
  }
  return text;
}

}  // namespace d1::runtime
