// SPDX-License-Identifier: Apache-2.0
// A program that the test starts, and may stop, continue and kill. It is killed with its object.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace d1::test {

class ChildProcess {
 public:
  // words: the program and its arguments. Throws std::runtime_error.
  explicit ChildProcess(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> out;
    if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe is left");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    const int failed =
        ::posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    output_ = out[0];
    if (failed == 0) return;
    ::close(output_);
    throw std::runtime_error(words[0] + " cannot be started");
  }
  ChildProcess(ChildProcess&& other) noexcept
      : process_(std::exchange(other.process_, -1)), output_(std::exchange(other.output_, -1)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(process_, other.process_);
    std::swap(output_, other.output_);
    return *this;
  }
  ~ChildProcess() {
    end(SIGKILL);
    if (output_ >= 0) ::close(output_);
  }

  // Of its standard output; false if it ends first.
  [[nodiscard]] bool wait_for_byte() const {
    char byte;
    return ::read(output_, &byte, 1) == 1;
  }
  // All its threads stand when SIGSTOP returns.
  void signal(int number) const {
    ::kill(process_, number);
    int status = 0;
    if (number == SIGSTOP) ::waitpid(process_, &status, WUNTRACED);
  }
  // Its wait status, after it has ended by this signal; 0 if it had ended before.
  int end(int number) {
    if (process_ <= 0) return 0;
    ::kill(process_, number);
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return status;
  }
  [[nodiscard]] pid_t id() const { return process_; }

 private:
  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace d1::test
