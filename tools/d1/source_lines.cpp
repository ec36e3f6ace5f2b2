// SPDX-License-Identifier: Apache-2.0
#include "source_lines.hpp"

#include <elfutils/libdw.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>

namespace d1::tools {

SourceLines::SourceLines(const std::string& program) {
  const int descriptor = open(program.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  const std::unique_ptr<Dwarf, int (*)(Dwarf*)> dwarf(dwarf_begin(descriptor, DWARF_C_READ),
                                                      dwarf_end);
  std::map<std::string, std::uint32_t> known;
  Dwarf_Off unit = 0, next = 0;
  std::size_t header = 0;
  while (dwarf && dwarf_nextcu(dwarf.get(), unit, &next, &header, nullptr, nullptr, nullptr) == 0) {
    Dwarf_Die die;
    Dwarf_Lines* lines = nullptr;
    std::size_t count = 0;
    if (dwarf_offdie(dwarf.get(), unit + header, &die) != nullptr &&
        dwarf_getsrclines(&die, &lines, &count) == 0) {
      for (std::size_t i = 0; i < count; ++i) {
        Dwarf_Line* line = dwarf_onesrcline(lines, i);
        Row row{};
        bool ends = false;
        const char* file = dwarf_linesrc(line, nullptr, nullptr);
        if (file == nullptr || dwarf_lineaddr(line, &row.address) != 0 ||
            dwarf_lineno(line, &row.line) != 0 || dwarf_lineendsequence(line, &ends) != 0)
          continue;
        const auto [place, fresh] = known.try_emplace(file, files_.size());
        if (fresh) files_.emplace_back(file);
        row.file = place->second;
        if (ends) row.line = 0;
        rows_.push_back(row);
      }
    }
    unit = next;
  }
  close(descriptor);
  // Where one sequence ends and the next begins, the beginning counts.
  std::ranges::stable_sort(rows_, [](const Row& a, const Row& b) {
    return a.address != b.address ? a.address < b.address : (a.line == 0) > (b.line == 0);
  });
}

SourceLines::Place SourceLines::at(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(rows_, address, {}, &Row::address);
  if (after == rows_.begin()) return {};
  const Row& row = *std::prev(after);
  return row.line == 0 ? Place{} : Place{files_[row.file], row.line};
}

std::optional<std::string> SourceLines::text(const Place& place) {
  const auto [content, fresh] = contents_.try_emplace(place.file);
  if (fresh) {
    std::ifstream file(place.file);
    for (std::string line; std::getline(file, line);) content->second.push_back(line);
  }
  const auto index = static_cast<std::size_t>(place.line) - 1;
  if (place.line < 1 || index >= content->second.size()) return std::nullopt;
  return content->second[index];
}

}  // namespace d1::tools
