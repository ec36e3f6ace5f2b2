// SPDX-License-Identifier: Apache-2.0
// The code of a RISC-V object file, by function: just enough ELF for what our own tools wrote.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <d1/isa/instruction.hpp>

namespace d1::isa::test {

class ObjectFile {
 public:
  explicit ObjectFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }
  [[nodiscard]] bool valid() const {
    return bytes_.size() > sizeof(Elf64_Ehdr) && std::memcmp(bytes_.data(), ELFMAG, SELFMAG) == 0;
  }

  // Instructions of the section .text, or of each function by its name.
  [[nodiscard]] std::vector<Instruction> text() const {
    const auto header = at<Elf64_Ehdr>(0);
    const auto names = section(header.e_shstrndx);
    for (unsigned i = 0; i < header.e_shnum; ++i)
      if (std::string(&bytes_[names.sh_offset + section(i).sh_name]) == ".text")
        return decode_range(section(i).sh_offset, section(i).sh_size);
    return {};
  }
  [[nodiscard]] std::map<std::string, std::vector<Instruction>> functions() const {
    std::map<std::string, std::vector<Instruction>> result;
    const auto header = at<Elf64_Ehdr>(0);
    for (unsigned i = 0; i < header.e_shnum; ++i) {
      const auto symbols = section(i);
      if (symbols.sh_type != SHT_SYMTAB) continue;
      for (std::uint64_t n = 0; n < symbols.sh_size / sizeof(Elf64_Sym); ++n) {
        const auto symbol = at<Elf64_Sym>(symbols.sh_offset + n * sizeof(Elf64_Sym));
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
        const std::string name(&bytes_[section(symbols.sh_link).sh_offset + symbol.st_name]);
        result[name] =
            decode_range(section(symbol.st_shndx).sh_offset + symbol.st_value, symbol.st_size);
      }
    }
    return result;
  }

 private:
  template <typename T>
  [[nodiscard]] T at(std::uint64_t offset) const {
    T value;
    std::memcpy(&value, &bytes_.at(offset + sizeof(T) - 1) - (sizeof(T) - 1), sizeof(T));
    return value;
  }
  [[nodiscard]] Elf64_Shdr section(unsigned index) const {
    return at<Elf64_Shdr>(at<Elf64_Ehdr>(0).e_shoff + index * sizeof(Elf64_Shdr));
  }
  [[nodiscard]] std::vector<Instruction> decode_range(std::uint64_t begin,
                                                      std::uint64_t size) const {
    std::vector<Instruction> result;
    for (std::uint64_t at = begin; at < begin + size; at += result.back().length) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &bytes_.at(at), at + 4 <= begin + size ? 4 : 2);
      result.push_back(decode(bits));
    }
    return result;
  }

  std::vector<char> bytes_;
};

}  // namespace d1::isa::test
