// SPDX-License-Identifier: Apache-2.0
// Which source line each address of a program comes from, by its debug information, and the text
// of those lines where the files are found. One thread; files are read once, at first use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace d1::tools {

class SourceLines {
 public:
  struct Place {
    std::string file;  // empty: not known
    int line = 0;
    bool operator==(const Place&) const = default;
  };

  // A program without debug information, or with broken one, has no lines: not an error.
  explicit SourceLines(const std::string& program);

  [[nodiscard]] Place at(std::uint64_t address) const;
  // Nothing where the file is not found or shorter.
  [[nodiscard]] std::optional<std::string> text(const Place& place);

 private:
  struct Row {
    std::uint64_t address;
    std::uint32_t file;  // index into files_
    int line;            // 0: here ends what the rows before describe
  };
  std::vector<std::string> files_;
  std::vector<Row> rows_;  // by address
  std::map<std::string, std::vector<std::string>> contents_;
};

}  // namespace d1::tools
