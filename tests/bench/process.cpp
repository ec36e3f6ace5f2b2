// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include "bench.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

namespace d1::bench {

std::string first_line_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(popen(command.c_str(), "r"), pclose);
  require(output != nullptr, fmt::format("'{}' could not be started.", command));
  char line[256] = {};
  if (std::fgets(line, sizeof line, output.get()) == nullptr) return {};
  std::string text(line);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace d1::bench
