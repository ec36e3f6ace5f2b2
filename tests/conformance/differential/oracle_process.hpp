// SPDX-License-Identifier: Apache-2.0
// A QEMU that runs an image to its end. Owns the process; ends it in the destructor.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <d1/base/error.hpp>

namespace d1::difftest {

class OracleProcess {
 public:
  // Standard output goes to `output`; arguments[0] is the program, found in PATH.
  OracleProcess(std::vector<std::string> arguments, const std::filesystem::path& output);
  ~OracleProcess();
  OracleProcess(const OracleProcess&) = delete;
  OracleProcess& operator=(const OracleProcess&) = delete;

  // Blocks until it ends. An error where it could not be started, did not end well, or not in time.
  [[nodiscard]] Result<> wait(unsigned timeout_s);

 private:
  std::string program_;
  int process_ = -1;
  int error_ = 0;
};

// Reads exactly `bytes` bytes; an error where the file holds another number of them.
[[nodiscard]] Result<> read_exactly(const std::filesystem::path& path, void* to, std::size_t bytes);

}  // namespace d1::difftest
