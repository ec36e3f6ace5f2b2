// SPDX-License-Identifier: Apache-2.0
#include "oracle_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

namespace d1::difftest {

OracleProcess::OracleProcess(std::vector<std::string> arguments,
                             const std::filesystem::path& output)
    : program_(arguments.at(0)) {
  std::vector<char*> pointers;
  for (std::string& each : arguments) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  error_ = posix_spawnp(&process_, program_.c_str(), &actions, nullptr, pointers.data(), environ);
  if (error_ != 0) process_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

OracleProcess::~OracleProcess() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

Result<> OracleProcess::wait(unsigned timeout_s) {
  if (process_ < 0)
    return fail(ErrorKind::Unsupported,
                fmt::format("The oracle '{}' could not be started: {}; install the packages "
                            "qemu-user and qemu-system-misc.",
                            program_, std::strerror(error_)));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_s);
  int status = 0;
  while (waitpid(process_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline)
      return fail(ErrorKind::Timeout,
                  fmt::format("The oracle did not finish within {} s.", timeout_s));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  process_ = 0;
  if (status != 0)
    return fail(ErrorKind::Internal,
                fmt::format("The oracle ended with wait status {:#x}, not 0.", status));
  return {};
}

Result<> read_exactly(const std::filesystem::path& path, void* to, std::size_t bytes) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path, ignored);
  if (size != bytes)
    return fail(ErrorKind::Internal,
                fmt::format("The oracle wrote {} bytes, not {}.", size, bytes));
  std::ifstream(path, std::ios::binary)
      .read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
  return {};
}

}  // namespace d1::difftest
