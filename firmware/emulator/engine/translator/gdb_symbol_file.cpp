// SPDX-License-Identifier: Apache-2.0
// The smallest ELF file that tells gdb a name for code and how to find the frame above.
#include <elf.h>

#include <array>
#include <cstring>
#include <string_view>

#include "engine/translator/gdb_jit.hpp"
#include "engine/translator/thunks.hpp"

namespace d1::emulator {

namespace {

class Bytes {
 public:
  template <typename T>
  void put(const T& value) {
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
    bytes_.insert(bytes_.end(), raw, raw + sizeof(T));
  }
  void put(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    bytes_.push_back(0);
  }
  void put(const std::vector<std::uint8_t>& more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  void align(std::size_t alignment) {
    while (bytes_.size() % alignment != 0) bytes_.push_back(0);
  }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::vector<std::uint8_t>& all() noexcept { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

// --- .debug_frame (DWARF 4, 6.4) ----------------------------------------------------------------

constexpr std::uint8_t kReturn = 16;  // the return address, as a register

// The number in DWARF of a register of the host.
constexpr std::uint8_t number_of(std::uint8_t host) {
  constexpr std::array<std::uint8_t, 8> kFirst = {0, 2, 1, 3, 7, 6, 4, 5};
  return host < kFirst.size() ? kFirst[host] : host;
}

// Where the frame above begins, counted from rsp, and what lies how many words below that.
std::vector<std::uint8_t> frame_rules(StackShape stack) {
  constexpr std::uint8_t kRsp = 4, kDefineFrame = 0x0c, kSaved = 0x80;  // DW_CFA_def_cfa, _offset
  constexpr std::uint8_t kWord = 8, kSmall = 0x80;  // a larger number would take two bytes
  constexpr std::uint8_t kInside = kWord * (1 + kSavedRegisters.size()) + kRegionStackBytes;
  static_assert(kInside < kSmall);
  const std::uint8_t depth = stack == StackShape::Inside   ? kInside
                             : stack == StackShape::Called ? kWord
                                                           : 2 * kWord;
  std::vector<std::uint8_t> rules{kDefineFrame, number_of(kRsp), depth, kSaved | kReturn, 1};
  if (stack != StackShape::Inside) return rules;
  std::uint8_t words = 1;
  for (const std::uint8_t each : kSavedRegisters) {
    rules.push_back(kSaved | number_of(each));
    rules.push_back(++words);
  }
  return rules;
}

// A length, then what it is the length of, to a multiple of eight bytes in all.
void put_record(Bytes& section, Bytes record) {
  while ((record.size() + sizeof(std::uint32_t)) % 8 != 0) record.put(std::uint8_t{0});  // nop
  section.put(static_cast<std::uint32_t>(record.size()));
  section.put(record.all());
}

std::vector<std::uint8_t> make_frames(const HostCode& code) {
  Bytes section, common;
  common.put(~std::uint32_t{0});       // of a record that others refer to
  common.put(std::uint8_t{1});         // version
  common.put(std::string_view());      // no augmentation
  common.put(std::uint8_t{1});         // unit of code addresses
  common.put(std::uint8_t{0x78});      // unit of places: -8
  common.put(std::uint8_t{kReturn});
  put_record(section, std::move(common));
  const std::uint8_t* begin = code.begin;
  for (const HostCode::Part& part : code.parts) {
    Bytes frame;
    frame.put(std::uint32_t{0});  // the common record is the first
    frame.put(begin);
    frame.put(std::uint64_t{part.bytes});
    frame.put(frame_rules(part.stack));
    put_record(section, std::move(frame));
    begin += part.bytes;
  }
  return std::move(section.all());
}

// --- the file -----------------------------------------------------------------------------------

enum Section : std::uint16_t { kNone, kText, kFrames, kSymbols, kNames, kSections };
constexpr std::array<std::string_view, kSections> kSectionNames = {"", ".text", ".debug_frame",
                                                                   ".symtab", ".strtab"};

Elf64_Ehdr make_header(std::size_t sections_at) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_shoff = sections_at;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = kSections;
  header.e_shstrndx = kNames;
  return header;
}

}  // namespace

std::vector<std::uint8_t> make_symbol_file(const HostCode& code) {
  const auto address = reinterpret_cast<std::uint64_t>(code.begin);
  std::array<Elf64_Shdr, kSections> sections{};
  Bytes names, symbols, file;
  for (unsigned i = 0; i < kSections; ++i) {
    sections[i].sh_name = static_cast<Elf64_Word>(names.size());
    names.put(kSectionNames[i]);
  }
  symbols.put(Elf64_Sym{});
  symbols.put(Elf64_Sym{.st_name = static_cast<Elf64_Word>(names.size()),
                        .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                        .st_other = STV_DEFAULT,
                        .st_shndx = kText,
                        .st_value = address,
                        .st_size = code.bytes()});
  names.put(std::string_view(code.name));

  sections[kText].sh_type = SHT_NOBITS;  // it is in memory already
  sections[kText].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  sections[kText].sh_addr = address;
  sections[kText].sh_size = code.bytes();
  sections[kFrames].sh_type = SHT_PROGBITS;
  sections[kSymbols].sh_type = SHT_SYMTAB;
  sections[kSymbols].sh_link = kNames;
  sections[kSymbols].sh_info = 1;  // the first global one
  sections[kSymbols].sh_entsize = sizeof(Elf64_Sym);
  sections[kNames].sh_type = SHT_STRTAB;
  file.put(Elf64_Ehdr{});
  const auto place = [&](Section section, const std::vector<std::uint8_t>& content) {
    file.align(8);
    sections[section].sh_offset = file.size();
    sections[section].sh_size = content.size();
    sections[section].sh_addralign = 8;
    file.put(content);
  };
  place(kFrames, make_frames(code));
  place(kSymbols, symbols.all());
  place(kNames, names.all());
  file.align(8);
  const Elf64_Ehdr header = make_header(file.size());
  std::memcpy(file.all().data(), &header, sizeof header);
  for (const Elf64_Shdr& section : sections) file.put(section);
  return std::move(file.all());
}

}  // namespace d1::emulator
