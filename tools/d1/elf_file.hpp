// SPDX-License-Identifier: Apache-2.0
// An ELF file for RV64 as `d1 exec` and `d1 disasm` need it: segments at their own addresses and
// symbols. Every fault of the file is an Invalid error that says what is wrong and where. (Programs
// for the nodes have rules of their own: d1/runtime/elf_image.hpp.)
// Owns the file's bytes; immutable; one thread.
#pragma once

#include <cstdint>
#include <d1/base/error.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1::tools {

class ElfFile {
 public:
  struct Range {  // a segment, or an executable section
    std::string name;
    std::uint64_t address = 0;      // where the bytes are loaded
    std::uint64_t run_address = 0;  // where the program expects them; differs if it copies them
    std::uint64_t memory_bytes = 0;
    std::span<const std::uint8_t> bytes;
    bool executable = false;
  };
  struct Symbol {
    std::string name;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    bool function = false;
  };

  [[nodiscard]] static Result<ElfFile> load(const std::string& path);

  [[nodiscard]] std::uint64_t entry() const noexcept { return entry_; }
  // PT_LOAD segments with memory, by address.
  [[nodiscard]] const std::vector<Range>& segments() const noexcept { return segments_; }
  // Sections that hold instructions, by address; executable segments where there are no sections.
  [[nodiscard]] const std::vector<Range>& code() const noexcept { return code_; }
  // Named places in sections, by address, functions behind other names of it; files, sections and
  // mapping symbols left out.
  [[nodiscard]] const std::vector<Symbol>& symbols() const noexcept { return symbols_; }
  [[nodiscard]] std::optional<std::uint64_t> address_of(std::string_view symbol) const;
  // "trap_handler+0x8", or nothing where no symbol is near.
  [[nodiscard]] std::string place(std::uint64_t address) const;

 private:
  std::string content_;
  std::uint64_t entry_ = 0;
  std::vector<Range> segments_, code_;
  std::vector<Symbol> symbols_;

  friend class ElfReader;
};

}  // namespace d1::tools
