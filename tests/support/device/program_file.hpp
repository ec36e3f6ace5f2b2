// SPDX-License-Identifier: Apache-2.0
// A program ELF as a test sees it: its segments, kernels and symbols. Owns the file's bytes.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kernel_grid.hpp"

namespace d1::test {

struct ProgramFile {
  struct Segment {
    std::uint64_t address, memory_bytes;
    std::span<const std::uint8_t> file;
    bool writable, executable;
  };
  // Of the programs built with the tests, by name.
  static ProgramFile open(const std::string& name);

  void load_into(KernelGrid& grid) const;
  [[nodiscard]] const Segment& text() const;

  std::vector<std::uint8_t> bytes;
  std::uint64_t entry = 0;
  std::vector<Segment> segments;
  std::map<std::string, std::uint64_t> kernels;  // global functions in d1.kernels
  std::map<std::string, std::uint64_t> symbols;
  std::vector<std::string> sections;
};

}  // namespace d1::test
