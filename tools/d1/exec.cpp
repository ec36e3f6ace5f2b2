// SPDX-License-Identifier: Apache-2.0
// `d1 exec`: one hart of one node runs a bare-metal program at its own addresses.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <d1/emulator/bare_hart.hpp>
#include <d1/isa/hart.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "elf_file.hpp"
#include "engine_options.hpp"
#include "statistics.hpp"

namespace d1::tools {
namespace {

using emulator::BareExit;
using emulator::BareHart;

constexpr std::uint64_t kPageBytes = 4096;
// RAM behind the program where nothing is asked for: the stacks of the public benchmarks lie there.
constexpr std::uint64_t kSpareBytes = 1 << 20;
// Everything loaded may be executed, since suites write code into their data, but each fence.i
// copies it; of larger programs only what is marked executable.
constexpr std::uint64_t kAllExecutableBytes = 16 << 20;
// Exit statuses of a process end here.
constexpr std::uint64_t kLargestStatus = 255;

struct ExecOptions {
  std::string file;
  std::vector<std::string> ram;
  std::uint64_t max_instructions = 0;
  std::string signature;
  std::string engine;
  bool statistics = false;
  bool json = false;
};

struct Interval {
  std::uint64_t first = 0, end = 0;
};

Result<std::uint64_t> parse_number(std::string_view text, const std::string& whole) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [stop, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  std::string_view suffix(stop, static_cast<std::size_t>(text.data() + text.size() - stop));
  const auto shift = suffix.empty()                   ? 0u
                     : suffix == "K" || suffix == "k" ? 10u
                     : suffix == "M"                  ? 20u
                     : suffix == "G"                  ? 30u
                                                      : 64u;
  if (fault != std::errc() || shift == 64 || (value << shift >> shift) != value)
    return fail(ErrorKind::Invalid,
                fmt::format("--ram {} is not BASE:SIZE, two numbers such as 0x80000000:16M "
                            "(suffixes K, M, G).",
                            whole));
  return value << shift;
}

Result<Interval> parse_ram(const std::string& text) {
  const auto colon = std::min(text.find(':'), text.size());
  Result<std::uint64_t> base = parse_number(std::string_view(text).substr(0, colon), text);
  if (!base) return std::unexpected(base.error());
  Result<std::uint64_t> size =
      parse_number(std::string_view(text).substr(std::min(colon + 1, text.size())), text);
  if (!size) return std::unexpected(size.error());
  if (*size == 0 || *base + *size < *base)
    return fail(ErrorKind::Invalid,
                fmt::format("--ram {} is empty or wraps around the address space.", text));
  return Interval{*base, *base + *size};
}

std::uint64_t round_up(std::uint64_t value) {
  return value > ~std::uint64_t{0} - kPageBytes ? value & ~(kPageBytes - 1)
                                                : (value + kPageBytes - 1) & ~(kPageBytes - 1);
}

// RAM asked for and RAM where the segments lie, overlaps and neighbours joined.
Result<std::vector<Interval>> memory_of(const ElfFile& file,
                                        const std::vector<std::string>& asked) {
  std::vector<Interval> all;
  for (const std::string& text : asked) {
    Result<Interval> ram = parse_ram(text);
    if (!ram) return std::unexpected(ram.error());
    all.push_back(*ram);
  }
  for (const ElfFile::Range& segment : file.segments())
    for (const std::uint64_t first : {segment.address, segment.run_address}) {
      const std::uint64_t end = first + segment.memory_bytes;
      all.push_back(
          {first & ~(kPageBytes - 1), round_up(end > ~kSpareBytes ? end : end + kSpareBytes)});
    }
  std::ranges::sort(all, {}, &Interval::first);
  std::vector<Interval> joined;
  for (const Interval& each : all) {
    if (!joined.empty() && each.first <= joined.back().end)
      joined.back().end = std::max(joined.back().end, each.end);
    else
      joined.push_back(each);
  }
  return joined;
}

Interval code_of(const ElfFile& file, const Interval& around) {
  const auto span = [&](bool all) {
    Interval code{around.end, around.first};
    for (const ElfFile::Range& segment : file.segments()) {
      if (segment.run_address - around.first >= around.end - around.first) continue;
      if (!all && !segment.executable) continue;
      code.first = std::min(code.first, segment.run_address & ~std::uint64_t{1});
      code.end = std::max(code.end, segment.run_address + segment.memory_bytes);
    }
    return code;
  };
  const Interval everything = span(true);
  return everything.end - everything.first <= kAllExecutableBytes ? everything : span(false);
}

Result<> load(const ElfFile& file, const ExecOptions& options, BareHart& hart) {
  Result<std::vector<Interval>> memory = memory_of(file, options.ram);
  if (!memory) return std::unexpected(memory.error());
  for (const Interval& each : *memory)
    if (Result<> added = hart.add_memory(each.first, each.end - each.first); !added) return added;
  for (const ElfFile::Range& segment : file.segments())
    if (Result<> written = hart.write(segment.address, segment.bytes); !written) return written;
  const auto around = std::ranges::find_if(*memory, [&](const Interval& each) {
    return file.entry() - each.first < each.end - each.first;
  });
  std::vector<NamedFunction> names;
  for (const ElfFile::Symbol& each : file.symbols())
    names.push_back({each.name, each.address, each.bytes});
  hart.set_names(std::move(names));
  const Interval code = code_of(file, *around);  // the loader has checked that the entry is loaded
  if (Result<> set = hart.set_code(code.first, code.end - code.first); !set) return set;
  hart.set_entry(file.entry());
  if (const auto to_host = file.address_of("tohost"))
    hart.set_host_interface(*to_host, file.address_of("fromhost"));
  return {};
}

std::string_view meaning(std::uint64_t cause) {
  using isa::Cause;
  switch (static_cast<Cause>(cause)) {
    case Cause::FetchMisaligned:
      return "misaligned jump target";
    case Cause::FetchAccess:
      return "no code there";
    case Cause::IllegalInstruction:
      return "illegal instruction";
    case Cause::Breakpoint:
      return "breakpoint";
    case Cause::LoadMisaligned:
      return "misaligned load";
    case Cause::LoadAccess:
      return "load outside memory";
    case Cause::StoreMisaligned:
      return "misaligned store or atomic";
    case Cause::StoreAccess:
      return "store outside memory";
    case Cause::EnvironmentCallM:
      return "environment call";
    case Cause::Assert:
      return "assertion failed";
    case Cause::DescriptorFault:
      return "malformed transfer descriptor";
    case Cause::SemaphoreFault:
      return "semaphore number or count out of range";
    case Cause::GridFault:
      return "address of no node of the launch";
  }
  return "a cause that the instruction set does not name";
}

std::string place(const ElfFile& file, std::uint64_t pc) {
  const std::string symbol = file.place(pc);
  return symbol.empty() ? fmt::format("{:#x}", pc) : fmt::format("{:#x} ({})", pc, symbol);
}

// What ended the run, where that was not the program itself.
Result<> verdict(const ElfFile& file, const BareExit& exit) {
  const std::string_view no_way_out =
      file.address_of("tohost") ? "" : " (no symbol tohost, so nothing that it does can end it)";
  switch (exit.reason) {
    case BareExit::Reason::Exited:
      return {};
    case BareExit::Reason::Limit:
      return fail(ErrorKind::Timeout,
                  fmt::format("The program did not end within {} instructions; it is at {}{}.",
                              exit.instructions, place(file, exit.pc), no_way_out));
    case BareExit::Reason::Trap:
      return fail(ErrorKind::KernelTrap,
                  fmt::format("Unhandled trap, cause {} ({}), at pc {}, value {:#x}, after {} "
                              "instructions.",
                              exit.cause, meaning(exit.cause), place(file, exit.pc), exit.value,
                              exit.instructions));
    case BareExit::Reason::Waiting:
      return fail(ErrorKind::Timeout,
                  fmt::format("The program waits at {} for an interrupt that nothing can raise{}.",
                              place(file, exit.pc), no_way_out));
  }
  return {};
}

Result<> write_signature(const ElfFile& file, const BareHart& hart, const std::string& path) {
  const auto first = file.address_of("begin_signature"), end = file.address_of("end_signature");
  if (!first || !end || *end < *first || (*end - *first) % 4 != 0)
    return fail(ErrorKind::Invalid,
                "The program has no words between symbols begin_signature and end_signature, so "
                "there is no signature to write.");
  std::vector<std::uint8_t> bytes(*end - *first);
  if (Result<> got = hart.read(*first, bytes); !got) return pass_on(got, "reading the signature");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(path.c_str(), "w"),
                                                            std::fclose);
  bool good = out != nullptr;
  for (std::size_t i = 0; good && i < bytes.size(); i += 4)
    good = std::fprintf(out.get(), "%02x%02x%02x%02x\n", bytes[i + 3], bytes[i + 2], bytes[i + 1],
                        bytes[i]) > 0;
  if (!good || std::fflush(out.get()) != 0)
    return fail(ErrorKind::Invalid, fmt::format("The signature cannot be written to {}: {}.", path,
                                                std::strerror(errno)));
  return {};
}

void report(const BareExit& exit, int status, const Result<>& ended, const std::string& output,
            const Statistics* statistics) {
  nlohmann::ordered_json document = {{"status", status},      {"ended", ended.has_value()},
                                     {"code", exit.code},     {"instructions", exit.instructions},
                                     {"cycles", exit.cycles}, {"output", output}};
  if (statistics != nullptr) document["statistics"] = document_of(*statistics);
  if (!ended) document["error"] = ended.error().to_string();
  print_json(document);
}

Result<int> execute(const ExecOptions& options) {
  Result<ElfFile> file = ElfFile::load(options.file);
  if (!file) return std::unexpected(file.error());
  Result<emulator::EngineOptions> engine = emulator::engine_options_for(options.engine);
  if (!engine) return std::unexpected(engine.error());
  engine->count_execution = options.statistics;
  BareHart hart(*engine);
  if (Result<> loaded = load(*file, options, hart); !loaded)
    return pass_on(loaded, fmt::format("loading {}", options.file));
  std::string output;
  if (options.json) hart.set_console([&](std::string_view text) { output += text; });
  const BareExit exit = hart.run(options.max_instructions);
  Result<> ended = verdict(*file, exit);
  const int status = ended ? static_cast<int>(std::min(exit.code, kLargestStatus)) : kFailure;
  const Statistics statistics = emulator::describe(hart.statistics());
  if (options.json)
    report(exit, status, ended, output, options.statistics ? &statistics : nullptr);
  else if (options.statistics)
    fmt::print(stderr, "{}", text_of(statistics));  // standard output is the program's
  if (!ended) return pass_on(ended, fmt::format("running {}", options.file));
  if (!options.signature.empty())
    if (Result<> written = write_signature(*file, hart, options.signature); !written)
      return std::unexpected(written.error());
  return status;
}

}  // namespace

void add_exec(CLI::App& application, Action& action) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = application.add_subcommand(
      "exec", "Run a bare-metal RV64 program in M-mode on one hart, as the public suites expect");
  command->add_option("file", options->file, "ELF executable, linked at any address")
      ->option_text("FILE.elf")
      ->required();
  command
      ->add_option(
          "--ram", options->ram,
          "Zeroed memory beside that of the program's segments and 1 MiB behind each, such "
          "as 0x80000000:16M (may be repeated)")
      ->allow_extra_args(false)
      ->option_text("BASE:SIZE");
  command
      ->add_option("--max-instructions", options->max_instructions,
                   "End with an error after about so many instructions (default: never)")
      ->option_text("N");
  command
      ->add_option("--signature", options->signature,
                   "Where to write the words from begin_signature to end_signature")
      ->option_text("FILE");
  add_engine_options(*command, options->engine, options->statistics);
  command->add_flag("--json", options->json,
                    "One JSON document at the end; what the program writes is in it");
  command->footer(
      "The program ends by writing (code << 1) | 1 to the symbol tohost; code becomes the exit\n"
      "status (at most 255). System calls by tohost write text to standard output.");
  command->callback([options, &action] { action = [options] { return execute(*options); }; });
}

}  // namespace d1::tools
