// SPDX-License-Identifier: Apache-2.0
#include "toolchain.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "command.hpp"

namespace d1::tools {
namespace {
constexpr std::string_view kPlaceholder = "${D1_DEVICE_DIR}";
}

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const std::string file = folder + "/" + name;
        access(file.c_str(), X_OK) == 0 && !std::filesystem::is_directory(file))
      return file;
  return {};
}

Result<std::vector<std::string>> toolchain_flags(const std::string& device_directory,
                                                 const std::string& name) {
  Result<std::string> content = read_file(device_directory + "/toolchain/" + name);
  if (!content) return pass_on(content, "reading the toolchain's flags");
  std::vector<std::string> flags;
  std::istringstream lines(*content);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    for (std::size_t at; (at = line.find(kPlaceholder)) != std::string::npos;)
      line.replace(at, kPlaceholder.size(), device_directory);
    flags.push_back(line);
  }
  return flags;
}

std::vector<std::string> toolchain_files(const std::string& device_directory) {
  std::vector<std::string> files;
  for (const char* name : {"compile_flags.txt", "link_flags.txt"}) {
    const Result<std::vector<std::string>> flags = toolchain_flags(device_directory, name);
    if (!flags) {
      files.push_back(device_directory + "/toolchain/" + name);
      continue;
    }
    // A path stands alone or directly behind -isystem, -I, -T.
    for (const std::string& flag : *flags)
      if (const auto slash = flag.find('/');
          slash == 0 ||
          (slash != std::string::npos && flag.front() == '-' && flag.find_first_of("=.:") > slash))
        files.push_back(flag.substr(slash));
  }
  return files;
}

}  // namespace d1::tools
