// SPDX-License-Identifier: Apache-2.0
// Reads the few structures of an ELF file that loading needs, each behind a bounds check. libelf is
// not used for it: it accepts much that must be refused here, and costs its load in every program
// that never asks for debug information.
#include <d1/runtime/elf_image.hpp>

#include <d1/abi/mailbox.h>
#include <d1/abi/memory_map.h>
#include <d1/driver/limits.hpp>

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

namespace d1::runtime {

class ElfParser {
 public:
  explicit ElfParser(ElfImage& image) : image_(image) {}

  Result<> parse() {
    if (auto result = read_header(); !result) return result;
    if (auto result = read_segments(); !result) return result;
    if (auto result = check_entry(); !result) return result;
    if (auto result = read_sections(); !result) return result;
    return read_symbols();
  }

 private:
  template <typename... Arguments>
  std::unexpected<Error> invalid(fmt::format_string<Arguments...> format,
                                 Arguments&&... arguments) {
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' {}", image_.origin_,
                            fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  std::uint64_t size() const { return image_.bytes_.size(); }

  template <typename T>
  std::optional<T> read(std::uint64_t offset) const {
    if (offset > size() || sizeof(T) > size() - offset) return std::nullopt;
    T value;
    std::memcpy(&value, image_.bytes_.data() + offset, sizeof(T));
    return value;
  }

  bool inside(std::uint64_t offset, std::uint64_t bytes) const {
    return offset <= size() && bytes <= size() - offset;
  }

  Result<> read_header() {
    const auto header = read<Elf64_Ehdr>(0);
    if (!header) {
      if (size() >= SELFMAG && std::memcmp(image_.bytes_.data(), ELFMAG, SELFMAG) == 0) {
        return invalid("is truncated: it has {} bytes, and an ELF header alone has {}.", size(),
                       sizeof(Elf64_Ehdr));
      }
      return invalid("is no ELF file: it has {} bytes and does not begin with 7f 45 4c 46.",
                     size());
    }
    header_ = *header;
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0) {
      return invalid("is no ELF file: it does not begin with 7f 45 4c 46.");
    }
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB) {
      return invalid(
          "is an ELF file of class {} and byte order {}; a program for the D1 is 64-bit "
          "(2), little-endian (1).",
          header_.e_ident[EI_CLASS], header_.e_ident[EI_DATA]);
    }
    if (header_.e_machine != EM_RISCV) {
      return invalid(
          "is built for ELF machine {}; a program for the D1 is RISC-V ({}). Build it "
          "with 'd1 build'.",
          header_.e_machine, EM_RISCV);
    }
    if (header_.e_type != ET_EXEC) {
      return invalid("is an ELF file of type {}; a program must be linked (type {}, ET_EXEC).",
                     header_.e_type, ET_EXEC);
    }
    if ((header_.e_flags & EF_RISCV_FLOAT_ABI) != EF_RISCV_FLOAT_ABI_DOUBLE) {
      return invalid("is not built for the calling convention lp64d (its flags are {:#x}).",
                     header_.e_flags);
    }
    return {};
  }

  Result<> read_segments() {
    if (header_.e_phnum != 0 && header_.e_phentsize != sizeof(Elf64_Phdr)) {
      return invalid("has program headers of {} bytes; they must have {}.", header_.e_phentsize,
                     sizeof(Elf64_Phdr));
    }
    if (!inside(header_.e_phoff, std::uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr))) {
      return invalid("is truncated: its {} program headers at offset {} pass its end at {} bytes.",
                     header_.e_phnum, header_.e_phoff, size());
    }
    for (unsigned i = 0; i < header_.e_phnum; ++i) {
      const auto segment = *read<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
      if (auto result = add_segment(i, segment); !result) return result;
    }
    auto& all = image_.segments_;
    if (all.empty()) return invalid("has nothing to load.");
    std::sort(all.begin(), all.end(),
              [](const Segment& a, const Segment& b) { return a.offset < b.offset; });
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[i].offset < all[i - 1].offset + all[i - 1].memory_bytes) {
        return invalid("has overlapping segments: [{:#x}, {:#x}) and [{:#x}, {:#x}).",
                       all[i - 1].offset, all[i - 1].offset + all[i - 1].memory_bytes,
                       all[i].offset, all[i].offset + all[i].memory_bytes);
      }
    }
    image_.end_ = all.back().offset + all.back().memory_bytes;
    return {};
  }

  Result<> add_segment(unsigned number, const Elf64_Phdr& segment) {
    if (segment.p_filesz > segment.p_memsz) {
      return invalid("has a segment ({}) with {} bytes in the file and {} in memory.", number,
                     segment.p_filesz, segment.p_memsz);
    }
    if (!inside(segment.p_offset, segment.p_filesz)) {
      return invalid("is truncated: segment {} ends at file offset {}, the file at {}.", number,
                     segment.p_offset + segment.p_filesz, size());
    }
    constexpr std::uint64_t limit = D1_STACK_TOP - D1_HARTS * D1_STACK_BYTES;
    if (segment.p_memsz > limit - D1_PROGRAM_BASE) {
      return invalid(
          "does not fit in a node's SRAM: segment {} has {} bytes, and {} are there "
          "between the system's page and the stacks.",
          number, segment.p_memsz, limit - D1_PROGRAM_BASE);
    }
    if (segment.p_vaddr < D1_PROGRAM_BASE || segment.p_vaddr > limit - segment.p_memsz) {
      return invalid(
          "has a segment ({}) at {:#x} with {} bytes, outside the program's memory "
          "[{:#x}, {:#x}).",
          number, segment.p_vaddr, segment.p_memsz, D1_PROGRAM_BASE, limit);
    }
    image_.segments_.push_back(
        {static_cast<std::uint32_t>(segment.p_vaddr), static_cast<std::uint32_t>(segment.p_memsz),
         std::span<const std::byte>(image_.bytes_).subspan(segment.p_offset, segment.p_filesz),
         segment.p_flags & PF_X ? SegmentKind::Executable : SegmentKind::Data});
    return {};
  }

  bool executable(std::uint64_t address) const {
    return std::any_of(image_.segments_.begin(), image_.segments_.end(), [&](const Segment& s) {
      return s.kind == SegmentKind::Executable && address >= s.offset &&
             address - s.offset < s.memory_bytes;
    });
  }

  Result<> check_entry() {
    if (!executable(header_.e_entry)) {
      return invalid("has its entry at {:#x}, outside its executable segments.", header_.e_entry);
    }
    return {};
  }

  std::string_view text(const Elf64_Shdr& strings, std::uint64_t offset) const {
    if (strings.sh_type != SHT_STRTAB || !inside(strings.sh_offset, strings.sh_size) ||
        offset >= strings.sh_size) {
      return {};
    }
    const char* first = reinterpret_cast<const char*>(image_.bytes_.data()) + strings.sh_offset;
    return {first + offset, ::strnlen(first + offset, strings.sh_size - offset)};
  }

  Result<> read_sections() {
    if (header_.e_shnum == 0) return {};
    if (header_.e_shentsize != sizeof(Elf64_Shdr) ||
        !inside(header_.e_shoff, std::uint64_t{header_.e_shnum} * sizeof(Elf64_Shdr))) {
      return invalid("is truncated: its {} section headers at offset {} pass its end at {} bytes.",
                     header_.e_shnum, header_.e_shoff, size());
    }
    for (unsigned i = 0; i < header_.e_shnum; ++i) {
      sections_.push_back(*read<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr)));
      const auto& section = sections_.back();
      if (section.sh_type != SHT_NOBITS && !inside(section.sh_offset, section.sh_size)) {
        return invalid("is truncated: section {} ends at file offset {}, the file at {}.", i,
                       section.sh_offset + section.sh_size, size());
      }
    }
    return {};
  }

  Result<> read_symbols() {
    unsigned kernels = 0;
    if (header_.e_shstrndx < sections_.size()) {
      for (unsigned i = 0; i < sections_.size(); ++i) {
        if (text(sections_[header_.e_shstrndx], sections_[i].sh_name) == kKernelSection)
          kernels = i;
      }
    }
    for (const auto& table : sections_) {
      if (table.sh_type != SHT_SYMTAB) continue;
      if (table.sh_link >= sections_.size()) {
        return invalid("has a symbol table whose names are in section {}; it has {} sections.",
                       table.sh_link, sections_.size());
      }
      for (std::uint64_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
        const auto symbol = *read<Elf64_Sym>(table.sh_offset + i * sizeof(Elf64_Sym));
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
        Symbol found{std::string(text(sections_[table.sh_link], symbol.st_name)), symbol.st_value,
                     symbol.st_size};
        if (kernels != 0 && symbol.st_shndx == kernels &&
            ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL) {
          if (!executable(found.address) || found.address % 2 != 0) {
            return invalid(
                "has its kernel '{}' at {:#x}, which is no place of an instruction in its "
                "executable segments.",
                found.name, found.address);
          }
          image_.kernels_.push_back(found);
        }
        image_.functions_.push_back(std::move(found));
      }
    }
    if (image_.kernels_.empty()) {
      return invalid("has no kernels; mark at least one function with D1_KERNEL.");
    }
    std::sort(image_.kernels_.begin(), image_.kernels_.end(),
              [](const Symbol& a, const Symbol& b) { return a.name < b.name; });
    std::sort(image_.functions_.begin(), image_.functions_.end(),
              [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
    return {};
  }

  ElfImage& image_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
};

Result<ElfImage> ElfImage::parse(std::vector<std::byte> bytes, std::string origin) {
  ElfImage image;
  image.bytes_ = std::move(bytes);
  image.origin_ = std::move(origin);
  auto parsed = ElfParser(image).parse();
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return image;
}

Result<ElfImage> ElfImage::load(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (!file) {
    return fail(ErrorKind::Invalid, fmt::format("The program '{}' cannot be opened: {}.", path,
                                                std::generic_category().message(errno)));
  }
  std::vector<std::byte> bytes;
  std::byte block[65536];
  for (;;) {
    const std::size_t got = std::fread(block, 1, sizeof block, file.get());
    bytes.insert(bytes.end(), block, block + got);
    if (bytes.size() > driver::limits::kProgramFileBytes) {
      return fail(ErrorKind::Invalid, fmt::format("'{}' is larger than {} bytes, the limit for a "
                                                  "program with its debug information.",
                                                  path, driver::limits::kProgramFileBytes));
    }
    if (got < sizeof block) break;
  }
  if (std::ferror(file.get())) {
    return fail(ErrorKind::Invalid, fmt::format("The program '{}' cannot be read: {}.", path,
                                                std::generic_category().message(errno)));
  }
  return parse(std::move(bytes), path);
}

std::string_view ElfImage::function_at(std::uint64_t address) const noexcept {
  auto next = std::upper_bound(
      functions_.begin(), functions_.end(), address,
      [](std::uint64_t value, const Symbol& symbol) { return value < symbol.address; });
  if (next == functions_.begin()) return {};
  const Symbol& symbol = *--next;
  return address - symbol.address < std::max<std::uint64_t>(symbol.bytes, 1) ? symbol.name
                                                                             : std::string_view{};
}

}  // namespace d1::runtime
