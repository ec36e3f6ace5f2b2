// SPDX-License-Identifier: Apache-2.0
// A program that the test starts, and may stop, continue and kill. It is killed with its object.
// What waits for it does so for a time.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

extern char** environ;

namespace d1::test {

class ChildProcess {
 public:
  static constexpr std::chrono::seconds kPatience{120};

  // words: the program and its arguments; errors: the file that its standard error goes to, if it
  // is not that of the test. Throws std::runtime_error.
  explicit ChildProcess(std::vector<std::string> words, const std::string& errors = "") {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> out;
    if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe is left");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    if (!errors.empty())
      ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(),
                                         O_WRONLY | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
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

  // Of its standard output; false if it ends first, or the time does.
  [[nodiscard]] bool wait_for_byte(std::chrono::milliseconds at_most = kPatience) const {
    char byte;
    pollfd entry{output_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(at_most.count())) <= 0) return false;
    return ::read(output_, &byte, 1) == 1;
  }
  // All its threads stand when SIGSTOP returns; that is sent again and again, since a program that
  // execs forgets it. Throws std::runtime_error if it does not stop. One that has ended gets none:
  // its number is -1 now, which kill() takes for every process there is.
  void signal(int number) {
    if (process_ <= 0) return;
    for (const auto deadline = std::chrono::steady_clock::now() + kPatience;;) {
      ::kill(process_, number);
      if (number != SIGSTOP || has_changed()) return;
      if (std::chrono::steady_clock::now() >= deadline)
        throw std::runtime_error("process " + std::to_string(process_) + " does not stop");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
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
  // Its wait status when it ends by itself; none: it still runs.
  [[nodiscard]] std::optional<int> wait_for_end(std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    for (int status = 0;;) {
      if (process_ <= 0) return {};
      if (::waitpid(process_, &status, WNOHANG) == process_) {
        process_ = -1;
        return status;
      }
      if (std::chrono::steady_clock::now() >= deadline) return {};
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  [[nodiscard]] pid_t id() const { return process_; }

 private:
  // It has stopped, or ended.
  bool has_changed() {
    int status = 0;
    const pid_t changed = ::waitpid(process_, &status, WUNTRACED | WNOHANG);
    if (changed == process_ && !WIFSTOPPED(status)) process_ = -1;
    return changed != 0;
  }

  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace d1::test
