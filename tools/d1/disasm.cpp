// SPDX-License-Identifier: Apache-2.0
// `d1 disasm`: a program's instructions under their symbols and between their source lines.
// Standard instructions are LLVM's to tell; those of Xd1 come from this project's own table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <d1/isa/instruction.hpp>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "elf_file.hpp"
#include "source_lines.hpp"
#include "standard_disassembler.hpp"

namespace d1::tools {
namespace {

using nlohmann::ordered_json;

enum class Sources { Show, Hide };

struct DisasmOptions {
  std::string file;
  std::string symbol;
  Sources sources = Sources::Show;
  bool json = false;
};

struct Line {
  std::uint64_t address = 0;
  std::span<const std::uint8_t> bytes;
  std::string text;
  bool own = false;  // an instruction of Xd1
};

class Listing {
 public:
  Listing(const ElfFile& file, const DisasmOptions& options, StandardDisassembler& standard)
      : file_(file), options_(options), standard_(standard) {
    if (options.sources == Sources::Show) sources_.emplace(options.file);
  }

  // The instructions in [first, end) of a range of code.
  void walk(const ElfFile::Range& code, std::uint64_t first, std::uint64_t end) {
    SourceLines::Place shown;
    for (std::uint64_t address = first; address < end;) {
      const Line line = decode(code, address, end);
      headings(address, shown);
      if (sources_) source(sources_->at(address), shown);
      instruction(line);
      address += line.bytes.size();
    }
  }
  void section(const ElfFile::Range& code) {
    if (!options_.json) fmt::print("\nSection {} at {:#x}\n", code.name, code.address);
  }
  void finish() {
    if (options_.json) print_json({{"file", options_.file}, {"instructions", std::move(json_)}});
  }

 private:
  Line decode(const ElfFile::Range& code, std::uint64_t address, std::uint64_t end) {
    const std::span<const std::uint8_t> rest =
        code.bytes.subspan(address - code.address, end - address);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(rest.size(), 4); ++i)
      bits |= std::uint32_t{rest[i]} << 8 * i;
    const isa::Instruction decoded = isa::decode(bits);
    const std::size_t length = std::min<std::size_t>(decoded.length, rest.size());
    Line line{address, rest.first(length), {}, false};
    const bool known = decoded.id != isa::InstructionId::Illegal && length == decoded.length;
    if (known && isa::facts(decoded.id).extension == isa::Extension::Xd1) {
      line.own = true;
      line.text = isa::disassemble(decoded, address);
    } else if (auto text = standard_.text(line.bytes, address)) {
      line.text = *std::move(text);
    } else if (known) {
      line.text = isa::disassemble(decoded, address);
    } else {
      line.text = length == 4   ? fmt::format(".word {:#010x}", bits)
                  : length == 2 ? fmt::format(".half {:#06x}", bits & 0xffff)
                                : fmt::format(".byte {:#04x}", bits & 0xff);
    }
    if (known) line.text += target(decoded, address);
    return line;
  }

  // " <loop+0x4>" behind a jump or branch: the disassemblers name only the distance.
  [[nodiscard]] std::string target(const isa::Instruction& decoded, std::uint64_t address) const {
    const std::string_view operands = isa::facts(decoded.id).operands;
    if (!operands.ends_with("imm_b") && !operands.ends_with("imm_j")) return {};
    const std::uint64_t to = address + static_cast<std::uint64_t>(std::int64_t{decoded.immediate});
    const std::string symbol = file_.place(to);
    return symbol.empty() ? fmt::format(" <{:#x}>", to) : fmt::format(" <{}>", symbol);
  }

  void headings(std::uint64_t address, SourceLines::Place& shown) {
    const auto [first, last] =
        std::ranges::equal_range(file_.symbols(), address, {}, &ElfFile::Symbol::address);
    if (first != last) symbol_ = std::prev(last)->name;
    if (options_.json) return;
    for (auto symbol = first; symbol != last; ++symbol)
      fmt::print("\n{:#x} <{}>:\n", address, symbol->name);
    if (first != last) shown = {};  // a function's first line is told again
  }

  void source(const SourceLines::Place& place, SourceLines::Place& shown) {
    source_ = place;
    if (place == shown || options_.json) return;
    shown = place;
    if (place.file.empty()) return;
    const std::optional<std::string> text = sources_->text(place);
    if (text) fmt::print("; {}:{}  {}\n", place.file, place.line, *text);
  }

  void instruction(const Line& line) {
    std::string bytes;
    for (auto byte = line.bytes.rbegin(); byte != line.bytes.rend(); ++byte)
      bytes += fmt::format("{:02x}", *byte);
    if (!options_.json) {
      fmt::print("{:>10x}: {:<8}  {}\n", line.address, bytes, line.text);
      return;
    }
    ordered_json entry = {{"address", line.address}, {"bytes", bytes}, {"text", line.text}};
    if (line.own) entry["extension"] = "Xd1";
    if (!symbol_.empty()) entry["symbol"] = symbol_;
    if (!source_.file.empty()) entry["source"] = {{"file", source_.file}, {"line", source_.line}};
    json_.push_back(std::move(entry));
  }

  const ElfFile& file_;
  const DisasmOptions& options_;
  StandardDisassembler& standard_;
  std::optional<SourceLines> sources_;
  std::string symbol_;
  SourceLines::Place source_;
  ordered_json json_ = ordered_json::array();
};

Result<int> list(const DisasmOptions& options) {
  Result<ElfFile> file = ElfFile::load(options.file);
  if (!file) return std::unexpected(file.error());
  Result<std::unique_ptr<StandardDisassembler>> standard = StandardDisassembler::create();
  if (!standard) return std::unexpected(standard.error());
  std::uint64_t first = 0, end = ~std::uint64_t{0};
  if (!options.symbol.empty()) {
    const auto found = std::ranges::find(file->symbols(), options.symbol, &ElfFile::Symbol::name);
    if (found == file->symbols().end())
      return fail(ErrorKind::Invalid,
                  fmt::format("{} has no symbol {}.", options.file, options.symbol));
    first = found->address;
    // Labels of assembly have no size: they go on to the next one.
    const auto next =
        std::ranges::upper_bound(file->symbols(), first, {}, &ElfFile::Symbol::address);
    end = found->bytes != 0               ? first + found->bytes
          : next != file->symbols().end() ? next->address
                                          : end;
  }
  Listing listing(*file, options, **standard);
  for (const ElfFile::Range& code : file->code()) {
    const std::uint64_t start = std::max(first, code.address);
    const std::uint64_t stop = std::min(end, code.address + code.bytes.size());
    if (start >= stop) continue;
    listing.section(code);
    listing.walk(code, start, stop);
  }
  listing.finish();
  return kSuccess;
}

}  // namespace

void add_disasm(CLI::App& application, Action& action) {
  auto options = std::make_shared<DisasmOptions>();
  CLI::App* command = application.add_subcommand(
      "disasm", "Show a program's instructions, with source lines where their files are found");
  command->add_option("program", options->file, "ELF executable")
      ->option_text("PROGRAM.elf")
      ->required();
  command->add_option("--symbol", options->symbol, "Only this function")->option_text("NAME");
  command->add_flag_callback(
      "--source", [options] { options->sources = Sources::Show; },
      "Source lines between the instructions (default)");
  command->add_flag_callback(
      "--no-source", [options] { options->sources = Sources::Hide; }, "Instructions alone");
  command->add_flag("--json", options->json, "One JSON document instead of the listing");
  command->callback([options, &action] { action = [options] { return list(*options); }; });
}

}  // namespace d1::tools
