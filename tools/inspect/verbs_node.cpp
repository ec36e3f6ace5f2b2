// SPDX-License-Identifier: Apache-2.0
// One node, one hart.
#include <fmt/format.h>
#include <d1/abi/memory_map.h>
#include <d1/isa/csr.hpp>
#include <d1/isa/instruction.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "elements.hpp"
#include "verbs.hpp"

namespace d1::inspect {
namespace {

using nlohmann::ordered_json;

constexpr std::array kIntegerNames = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::array kFloatNames = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6",  "ft7",  "fs0", "fs1", "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7",  "fs2",  "fs3", "fs4", "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

// The node, and hart, that a word names; with what that hart shows.
struct Seen {
  PlaceSet::One at;
  driver::DebugRegisters registers;
  std::uint64_t program = 0;
};
Result<Seen> see(Session& session, const std::string& word) {
  auto place = PlaceSet::parse(word, session.mesh());
  if (!place) return std::unexpected(std::move(place.error()));
  auto one = place->one();
  if (!one) return std::unexpected(std::move(one.error()));
  const driver::DebugPlace node{one->die, one->node};
  auto registers = session.target().registers(node, one->hart);
  if (!registers) return std::unexpected(std::move(registers.error()));
  auto state = session.target().node(node);
  if (!state) return std::unexpected(std::move(state.error()));
  return Seen{*one, std::move(*registers), state->node.program};
}

void add_floats(const Seen& seen, Answer& answer) {
  for (unsigned i = 0; i < 32; ++i) {
    const std::uint64_t bits = seen.registers.values.f[i];
    const bool single = bits >> 32 == 0xffff'ffff;  // narrower values are NaN-boxed
    const auto bytes = std::as_bytes(std::span(&bits, 1));
    const std::string value = text_of(single ? ElementType::F32 : ElementType::F64, bytes);
    answer.text += fmt::format("{:<5} {:#018x}  {}{}\n", kFloatNames[i], bits, value,
                               single ? " (single)" : "");
    answer.document["f"][kFloatNames[i]] = {{"bits", bits}, {"value", value}};
  }
}

void add_vectors(const Seen& seen, ElementType type, Answer& answer) {
  const std::size_t bytes = bytes_of(type);
  for (unsigned i = 0; i < 32; ++i) {
    const auto value = std::as_bytes(std::span(seen.registers.values.v[i]));
    ordered_json elements = ordered_json::array();
    std::string text;
    for (std::size_t at = 0; at < value.size(); at += bytes) {
      const std::string element = text_of(type, value.subspan(at, bytes));
      elements.push_back(element);
      text += " " + element;
    }
    answer.text += fmt::format("v{:<3}{}\n", i, text);
    answer.document["v"][fmt::format("v{}", i)] = std::move(elements);
  }
}

}  // namespace

Result<Answer> show_registers(Session& session, Words words) {
  const std::string set = words.size() > 1 ? words[1] : "x";
  if (set != "x" && set != "f" && set != "v" && set != "csr")
    return fail(ErrorKind::Invalid,
                fmt::format("There are no registers '{}'; there are x, f, v and csr.", set));
  auto type = element_type_of(words.size() > 2 ? words[2] : "e32");
  if (!type) return std::unexpected(std::move(type.error()));
  auto seen = see(session, words[0]);
  if (!seen) return std::unexpected(std::move(seen.error()));
  const d1_debug_registers& values = seen->registers.values;
  Answer answer;
  const std::string name = name_of(session.mesh(), seen->at.die, seen->at.node, seen->at.hart);
  const std::string where = session.symbols().text(seen->program, values.pc);
  answer.document = {{"hart", name}, {"cycle", session.target().cycle()}, {"pc", values.pc},
                     {"where", where}};
  answer.text = fmt::format("{} at pc {:#x}, {}\n", name, values.pc, where);
  if (set == "x") {
    for (unsigned i = 0; i < 32; ++i) {
      answer.text += fmt::format("{:<4} {:#018x}{}", kIntegerNames[i], values.x[i],
                                 i % 4 == 3 ? "\n" : "   ");
      answer.document["x"][kIntegerNames[i]] = values.x[i];
    }
  } else if (set == "f") {
    add_floats(*seen, answer);
  } else if (set == "v") {
    add_vectors(*seen, *type, answer);
  } else {
    for (const d1_debug_csr& csr : seen->registers.csrs) {
      const std::string csr_name = isa::csr_name(csr.number);
      answer.text += fmt::format("{:<14} {:#x}\n", csr_name, csr.value);
      answer.document["csr"][csr_name] = csr.value;
    }
  }
  return answer;
}

Result<Answer> show_semaphores(Session& session, Words words) {
  auto seen = see(session, words[0]);
  if (!seen) return std::unexpected(std::move(seen.error()));
  const driver::DebugPlace node{seen->at.die, seen->at.node};
  auto state = session.target().node(node);
  if (!state) return std::unexpected(std::move(state.error()));
  auto harts = session.target().harts(std::span(&node, 1));
  if (!harts) return std::unexpected(std::move(harts.error()));
  Answer answer;
  answer.document = {{"node", name_of(session.mesh(), node.die, node.node)},
                     {"semaphores", ordered_json::array()}};
  for (unsigned i = 0; i < D1_SEMAPHORES; ++i) {
    std::string waiters;
    ordered_json waiting = ordered_json::array();
    for (const d1_debug_hart& hart : *harts) {
      const d1_hart_report& report = hart.report;
      if (report.status != D1_HART_PARKED || report.wait_kind != D1_WAIT_SEMAPHORE ||
          report.wait_index != i)
        continue;
      waiters += fmt::format("; hart {} waits for {}, in {}", report.hart, report.wait_amount,
                             session.symbols().text(hart.program, report.pc));
      waiting.push_back({{"hart", report.hart}, {"amount", report.wait_amount}});
    }
    if (state->semaphores[i] == 0 && waiting.empty()) continue;
    answer.text += fmt::format("semaphore {:>2} holds {}{}\n", i, state->semaphores[i], waiters);
    answer.document["semaphores"].push_back(
        {{"semaphore", i}, {"value", state->semaphores[i]}, {"waiting", waiting}});
  }
  if (answer.text.empty()) answer.text = "All semaphores are 0, and no hart waits for one.\n";
  return answer;
}

Result<Answer> show_mailbox(Session& session, Words words) {
  auto seen = see(session, words[0]);
  if (!seen) return std::unexpected(std::move(seen.error()));
  auto state = session.target().node({seen->at.die, seen->at.node});
  if (!state) return std::unexpected(std::move(state.error()));
  const d1_launch& launch = state->mailbox;
  const std::string kernel = session.symbols().function_at(seen->program, launch.entry);
  Answer answer;
  if (launch.id == 0) return Answer{"Nothing was launched on this node.\n", {}};
  answer.text = fmt::format(
      "launch {}{}: {} at {:#x}, rank {} of {} ({} x {}), {} harts, stacks of {} bytes\n",
      launch.id, state->node.launch == launch.id ? "" : " (ended)", kernel, launch.entry,
      launch.rank, launch.nodes, launch.grid_rows, launch.grid_columns, launch.harts,
      launch.stack_bytes);
  ordered_json arguments = ordered_json::array();
  for (unsigned i = 0; i < std::min(launch.arguments, std::uint32_t{D1_KERNEL_ARGUMENTS}); ++i) {
    answer.text += fmt::format("  argument {:>2}  {:#x}\n", i, launch.argument[i]);
    arguments.push_back(launch.argument[i]);
  }
  answer.document = {{"launch", launch.id},
                     {"kernel", kernel},
                     {"entry", launch.entry},
                     {"rank", launch.rank},
                     {"nodes", launch.nodes},
                     {"harts", launch.harts},
                     {"stack_bytes", launch.stack_bytes},
                     {"running", state->node.launch == launch.id},
                     {"arguments", arguments}};
  return answer;
}

Result<Answer> show_code(Session& session, Words words) {
  constexpr std::uint64_t kUsual = 16, kMost = 4096;  // instructions
  auto seen = see(session, words[0]);
  if (!seen) return std::unexpected(std::move(seen.error()));
  const std::uint64_t pc = seen->registers.values.pc;
  const runtime::ElfImage* const image = session.symbols().image(seen->program);
  std::uint64_t at = pc, count = kUsual;
  if (words.size() > 1) {
    if (const auto function = session.symbols().function(seen->program, words[1])) {
      at = function->address;
      count = kMost;
      if (function->bytes != 0) count = function->bytes / 2;
    } else {
      auto address = number_of(words[1], "address, nor a function of the program");
      if (!address) return std::unexpected(std::move(address.error()));
      at = *address;
    }
  }
  if (words.size() > 2) {
    auto given = number_of(words[2], "number of instructions");
    if (!given) return std::unexpected(std::move(given.error()));
    count = std::min(*given, kMost);
  }
  std::span<const std::byte> code;
  std::uint64_t base = 0;
  if (image != nullptr)
    for (const runtime::Segment& segment : image->segments())
      if (segment.kind == runtime::SegmentKind::Executable && at >= segment.offset &&
          at - segment.offset < segment.bytes.size()) {
        code = segment.bytes;
        base = segment.offset;
      }
  if (code.empty())
    return fail(ErrorKind::Invalid,
                fmt::format("There is no code of a known program at {:#x}.", at));
  const std::string_view function = image->function_at(at);
  Answer answer;
  answer.document = ordered_json::array();
  std::string shown;
  for (std::uint64_t done = 0; done < count && at - base < code.size(); ++done) {
    if (words.size() < 3 && image->function_at(at) != function) break;
    std::uint32_t bits = 0;
    const std::size_t offset = at - base;
    std::memcpy(&bits, &code[offset], std::min<std::size_t>(4, code.size() - offset));
    const isa::Instruction decoded = isa::decode(bits);
    const std::string text = isa::disassemble(decoded, at);
    const std::string where = session.symbols().text(seen->program, at);
    if (where != shown) answer.text += fmt::format("; {}\n", shown = where);
    answer.text += fmt::format("{} {:#8x}  {}\n", at == pc ? "=>" : "  ", at, text);
    answer.document.push_back(
        {{"address", at}, {"text", text}, {"where", where}, {"pc", at == pc}});
    at += decoded.length;
  }
  return answer;
}

Result<Answer> show_source(Session& session, Words words) {
  constexpr int kAround = 5;  // lines
  auto seen = see(session, words[0]);
  if (!seen) return std::unexpected(std::move(seen.error()));
  const std::uint64_t pc = seen->registers.values.pc;
  const runtime::SourcePlace& place = session.symbols().place(seen->program, pc);
  if (place.file.empty())
    return fail(ErrorKind::Invalid, fmt::format("No source line is known for pc {:#x} ({}).", pc,
                                                session.symbols().text(seen->program, pc)));
  Answer answer;
  answer.text = session.symbols().text(seen->program, pc) + "\n";
  answer.document = {{"file", place.file}, {"line", place.line}, {"function", place.function},
                     {"lines", ordered_json::array()}};
  std::ifstream file(place.file);
  std::string line;
  for (int number = 1; std::getline(file, line) && number <= place.line + kAround; ++number) {
    if (number < place.line - kAround) continue;
    answer.text += fmt::format("{} {:>5}  {}\n", number == place.line ? "=>" : "  ", number, line);
    answer.document["lines"].push_back({{"number", number}, {"text", line}});
  }
  if (answer.document["lines"].empty())
    answer.text += fmt::format("(The file '{}' is not to be found here.)\n", place.file);
  return answer;
}

}  // namespace d1::inspect
