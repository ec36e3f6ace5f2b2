// SPDX-License-Identifier: Apache-2.0
#include "program_file.hpp"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace d1::test {

ProgramFile ProgramFile::open(const std::string& name) {
  const std::string path = std::string(D1_TEST_PROGRAMS) + "/" + name + ".elf";
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  ProgramFile file;
  file.bytes.assign(std::istreambuf_iterator<char>(in), {});
  const auto at = [&file]<typename T>(std::uint64_t offset, T& value) {
    std::memcpy(&value, &file.bytes.at(offset + sizeof(T) - 1) - (sizeof(T) - 1), sizeof(T));
  };
  Elf64_Ehdr header;
  at(0, header);
  file.entry = header.e_entry;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    at(header.e_phoff + i * sizeof segment, segment);
    if (segment.p_type != PT_LOAD) continue;
    file.segments.push_back({segment.p_vaddr, segment.p_memsz,
                             std::span(file.bytes).subspan(segment.p_offset, segment.p_filesz),
                             (segment.p_flags & PF_W) != 0, (segment.p_flags & PF_X) != 0});
  }
  const auto section = [&](unsigned index) {
    Elf64_Shdr value;
    at(header.e_shoff + index * sizeof value, value);
    return value;
  };
  const auto text_at = [&file](std::uint64_t offset) {
    return std::string(reinterpret_cast<const char*>(&file.bytes.at(offset)));
  };
  const std::uint64_t names = section(header.e_shstrndx).sh_offset;
  for (unsigned i = 0; i < header.e_shnum; ++i)
    file.sections.push_back(text_at(names + section(i).sh_name));
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const std::uint64_t strings = section(table.sh_link).sh_offset;
    for (std::uint64_t j = 0; j < table.sh_size / sizeof(Elf64_Sym); ++j) {
      Elf64_Sym symbol;
      at(table.sh_offset + j * sizeof symbol, symbol);
      const std::string symbol_name = text_at(strings + symbol.st_name);
      file.symbols[symbol_name] = symbol.st_value;
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
          ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL &&
          file.sections.at(symbol.st_shndx) == "d1.kernels")
        file.kernels[symbol_name] = symbol.st_value;
    }
  }
  return file;
}

void ProgramFile::load_into(KernelGrid& grid) const {
  for (const Segment& segment : segments)
    grid.load(segment.address, segment.file, segment.memory_bytes, segment.executable);
}

const ProgramFile::Segment& ProgramFile::text() const {
  for (const Segment& segment : segments)
    if (segment.executable) return segment;
  throw std::runtime_error("a program without text");
}

}  // namespace d1::test
