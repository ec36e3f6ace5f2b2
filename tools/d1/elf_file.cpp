// SPDX-License-Identifier: Apache-2.0
#include "elf_file.hpp"

#include <fmt/format.h>
#include <gelf.h>

#include <algorithm>
#include <memory>

#include "command.hpp"

namespace d1::tools {

class ElfReader {
 public:
  ElfReader(ElfFile& file, const std::string& path) : file_(file), path_(path) {}

  Result<> read() {
    if (Result<> good = header(); !good) return good;
    if (Result<> good = segments(); !good) return good;
    if (Result<> good = sections(); !good) return good;
    return {};
  }

 private:
  [[nodiscard]] std::unexpected<Error> invalid(const std::string& what) const {
    return fail(ErrorKind::Invalid, fmt::format("{}: {}", path_, what));
  }
  [[nodiscard]] bool within_file(std::uint64_t offset, std::uint64_t bytes) const {
    return offset <= size() && bytes <= size() - offset;
  }
  [[nodiscard]] std::uint64_t size() const { return file_.content_.size(); }
  [[nodiscard]] std::span<const std::uint8_t> piece(std::uint64_t offset, std::uint64_t bytes) {
    return {reinterpret_cast<const std::uint8_t*>(file_.content_.data()) + offset, bytes};
  }

  Result<> header() {
    if (size() < EI_NIDENT || file_.content_.compare(0, SELFMAG, ELFMAG) != 0)
      return invalid("This is no ELF file: it does not begin with 7f 'E' 'L' 'F'.");
    if (size() < sizeof(Elf64_Ehdr))
      return invalid(fmt::format("The file is cut off: {} bytes, an ELF header takes {}.", size(),
                                 sizeof(Elf64_Ehdr)));
    if (file_.content_[EI_CLASS] != ELFCLASS64)
      return invalid("This is a 32-bit ELF file; the machine runs 64-bit RISC-V alone.");
    if (file_.content_[EI_DATA] != ELFDATA2LSB)
      return invalid("This is a big-endian ELF file; the machine is little-endian.");
    if (elf_version(EV_CURRENT) == EV_NONE)
      return fail(ErrorKind::Internal, "libelf does not know the current version of ELF.");
    elf_.reset(elf_memory(file_.content_.data(), size()));
    if (!elf_ || gelf_getehdr(elf_.get(), &header_) == nullptr)
      return invalid(fmt::format("The ELF header cannot be read: {}.", elf_errmsg(-1)));
    if (header_.e_machine != EM_RISCV)
      return invalid(fmt::format("The file is for machine number {}; RISC-V is {}.",
                                 header_.e_machine, EM_RISCV));
    if (header_.e_type != ET_EXEC && header_.e_type != ET_DYN)
      return invalid(fmt::format(
          "The file is of ELF type {}, not an executable (2): link it first.", header_.e_type));
    file_.entry_ = header_.e_entry;
    return {};
  }

  Result<> segments() {
    std::size_t count = 0;
    if (elf_getphdrnum(elf_.get(), &count) != 0 ||
        !within_file(header_.e_phoff, count * header_.e_phentsize))
      return invalid(
          fmt::format("The file is cut off: its program headers at {} end behind its {} "
                      "bytes.",
                      header_.e_phoff, size()));
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Phdr segment;
      if (gelf_getphdr(elf_.get(), static_cast<int>(i), &segment) == nullptr)
        return invalid(fmt::format("Program header {} cannot be read: {}.", i, elf_errmsg(-1)));
      if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
      if (!within_file(segment.p_offset, segment.p_filesz))
        return invalid(
            fmt::format("The file is cut off: segment {} takes {} bytes at {}, the file "
                        "has {}.",
                        i, segment.p_filesz, segment.p_offset, size()));
      if (segment.p_filesz > segment.p_memsz)
        return invalid(fmt::format("Segment {} has {} bytes in the file but {} in memory.", i,
                                   segment.p_filesz, segment.p_memsz));
      if (segment.p_paddr + segment.p_memsz < segment.p_paddr ||
          segment.p_vaddr + segment.p_memsz < segment.p_vaddr)
        return invalid(
            fmt::format("Segment {} of {} bytes at {:#x} wraps around the address "
                        "space.",
                        i, segment.p_memsz, segment.p_paddr));
      file_.segments_.push_back({fmt::format("segment {}", i), segment.p_paddr, segment.p_vaddr,
                                 segment.p_memsz, piece(segment.p_offset, segment.p_filesz),
                                 (segment.p_flags & PF_X) != 0});
    }
    std::ranges::sort(file_.segments_, {}, &ElfFile::Range::address);
    if (file_.segments_.empty()) return invalid("The file has nothing to load.");
    for (std::size_t i = 1; i < file_.segments_.size(); ++i) {
      const auto& low = file_.segments_[i - 1];
      const auto& high = file_.segments_[i];
      if (high.address - low.address < low.memory_bytes)
        return invalid(fmt::format("{} at [{:#x}, {:#x}) and {} at {:#x} overlap.", low.name,
                                   low.address, low.address + low.memory_bytes, high.name,
                                   high.address));
    }
    const auto holds_entry = [&](const ElfFile::Range& segment) {
      return segment.executable && file_.entry_ - segment.run_address < segment.memory_bytes;
    };
    if (std::ranges::none_of(file_.segments_, holds_entry))
      return invalid(fmt::format("The entry {:#x} lies in no executable segment.", file_.entry_));
    return {};
  }

  // Symbols and section names are a help, not a need: a stripped file runs too. But what is there
  // must be sound.
  Result<> sections() {
    std::size_t names = 0;
    if (header_.e_shnum == 0 || elf_getshdrstrndx(elf_.get(), &names) != 0) names = 0;
    if (header_.e_shoff != 0 &&
        !within_file(header_.e_shoff, std::uint64_t{header_.e_shnum} * header_.e_shentsize))
      return invalid(
          fmt::format("The file is cut off: its section headers at {} end behind its {} "
                      "bytes.",
                      header_.e_shoff, size()));
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf_.get(), section)) != nullptr;) {
      GElf_Shdr shape;
      if (gelf_getshdr(section, &shape) == nullptr)
        return invalid(fmt::format("A section header cannot be read: {}.", elf_errmsg(-1)));
      if (shape.sh_type != SHT_NOBITS && !within_file(shape.sh_offset, shape.sh_size))
        return invalid(
            fmt::format("The file is cut off: a section takes {} bytes at {}, the file "
                        "has {}.",
                        shape.sh_size, shape.sh_offset, size()));
      const char* name = names != 0 ? elf_strptr(elf_.get(), names, shape.sh_name) : nullptr;
      if (shape.sh_type == SHT_PROGBITS && (shape.sh_flags & SHF_EXECINSTR) != 0 &&
          shape.sh_size != 0)
        file_.code_.push_back({name != nullptr ? name : "", shape.sh_addr, shape.sh_addr,
                               shape.sh_size, piece(shape.sh_offset, shape.sh_size), true});
      if (shape.sh_type == SHT_SYMTAB) symbols(section, shape);
    }
    if (file_.code_.empty())
      std::ranges::copy_if(file_.segments_, std::back_inserter(file_.code_),
                           &ElfFile::Range::executable);
    std::ranges::stable_sort(file_.code_, {}, &ElfFile::Range::address);
    // Of several at one address a function comes last: it is the one that names the place.
    std::ranges::stable_sort(file_.symbols_, {}, [](const ElfFile::Symbol& symbol) {
      return std::pair(symbol.address, symbol.function);
    });
    return {};
  }

  void symbols(Elf_Scn* section, const GElf_Shdr& shape) {
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr || shape.sh_entsize == 0) return;
    for (std::uint64_t i = 0; i < shape.sh_size / shape.sh_entsize; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) return;
      const unsigned type = GELF_ST_TYPE(symbol.st_info);
      const char* name = elf_strptr(elf_.get(), shape.sh_link, symbol.st_name);
      if (name == nullptr || *name == '\0' || *name == '$' || symbol.st_shndx == SHN_UNDEF)
        continue;
      // Labels local to the assembler's input say nothing.
      if (type == STT_FILE || type == STT_SECTION || std::string_view(name).starts_with(".L"))
        continue;
      file_.symbols_.push_back({name, symbol.st_value, symbol.st_size, type == STT_FUNC});
    }
  }

  struct End {
    void operator()(Elf* elf) const noexcept { elf_end(elf); }
  };
  ElfFile& file_;
  const std::string& path_;
  std::unique_ptr<Elf, End> elf_;
  GElf_Ehdr header_{};
};

Result<ElfFile> ElfFile::load(const std::string& path) {
  ElfFile file;
  Result<std::string> content = read_file(path);
  if (!content) return pass_on(content, "loading the program");
  // A short string would keep its bytes inside the object and move with it; spans must not.
  content->reserve(std::max<std::size_t>(content->size(), 1024));
  file.content_ = std::move(*content);
  if (Result<> good = ElfReader(file, path).read(); !good)
    return std::unexpected(std::move(good.error()));
  return file;
}

std::optional<std::uint64_t> ElfFile::address_of(std::string_view symbol) const {
  const auto found = std::ranges::find(symbols_, symbol, &Symbol::name);
  return found == symbols_.end() ? std::nullopt : std::optional(found->address);
}

std::string ElfFile::place(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  for (auto each = after; each != symbols_.begin();) {
    --each;
    const std::uint64_t distance = address - each->address;
    if (each->bytes != 0 && distance >= each->bytes) continue;
    return distance == 0 ? each->name : fmt::format("{}+{:#x}", each->name, distance);
  }
  return {};
}

}  // namespace d1::tools
