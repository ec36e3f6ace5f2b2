// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace d1::tools {
namespace {
bool json_printed = false;
}

bool json_was_printed() { return json_printed; }

void print_json(const nlohmann::ordered_json& document) {
  // Names of files and symbols may hold any bytes; what is not UTF-8 is replaced.
  json_printed = true;
  fmt::print("{}\n", document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string with_unit(double value, std::string unit) {
  constexpr std::array kDecimal = {"", "k", "M", "G", "T", "P", "E"};
  constexpr std::array kBinary = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  const bool bytes = unit == "B";
  // Counted things read better as they are.
  const bool scaled = bytes || unit == "Hz" || unit.ends_with("/s") || unit.starts_with("FLOP");
  const double step = bytes ? 1024 : 1000;
  std::size_t prefix = 0;
  while (scaled && std::abs(value) >= step && prefix + 1 < kDecimal.size()) {
    value /= step;
    ++prefix;
  }
  std::string number =
      std::abs(value) < 1e7 ? fmt::format("{:.3f}", value) : fmt::format("{:.0f}", value);
  if (const auto point = number.find('.'); point != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  const std::string name = (bytes ? kBinary : kDecimal)[prefix] + unit;
  return name.empty() ? number : number + " " + name;
}

Result<std::string> read_file(const std::string& path) {
  const auto fault = [&] {
    return fail(ErrorKind::Invalid,
                fmt::format("File {} cannot be read: {}.", path, std::strerror(errno)));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) return fault();
  std::string content;
  std::array<char, 1 << 16> piece;
  while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), file.get()))
    content.append(piece.data(), got);
  if (std::ferror(file.get()) != 0) return fault();
  return content;
}

}  // namespace d1::tools
