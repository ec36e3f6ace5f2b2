// SPDX-License-Identifier: Apache-2.0
// A daemon of the test's own: `d1 serve` in a process that the test may stop, continue and kill,
// its sockets in a folder that goes with it. One thread.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace d1::test {

class Daemon {
 public:
  // Returns when it serves; D1_PROGRAMS names the folder of `d1`. Throws std::runtime_error.
  explicit Daemon(std::vector<std::string> options = {}) : options_(std::move(options)) {
    std::array<char, 32> name{"/tmp/d1-daemon-XXXXXX"};
    folder_ = ::mkdtemp(name.data());
    start();
  }
  ~Daemon() {
    end(SIGKILL);
    std::filesystem::remove_all(folder_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void start() {
    const char* programs = std::getenv("D1_PROGRAMS");
    std::vector<std::string> words = {std::string(programs ? programs : ".") + "/d1", "serve",
                                      "--log-level", "warn", "--dir", folder_};
    words.insert(words.end(), options_.begin(), options_.end());
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
    char byte;
    const bool serves = failed == 0 && ::read(out[0], &byte, 1) == 1;  // its first line
    ::close(out[0]);
    if (!serves) throw std::runtime_error(words[0] + " serve did not start");
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

  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] std::string socket(const std::string& dpu = "d1") const {
    return folder_ + "/" + dpu + ".sock";
  }
  // For Device::open.
  [[nodiscard]] std::string device(const std::string& dpu = "d1") const {
    return "vfio-user:" + socket(dpu);
  }

  // Descriptors, mappings and threads it holds: what a leak would add to.
  struct Holdings {
    std::size_t descriptors, mappings, threads;
    friend bool operator==(const Holdings&, const Holdings&) = default;
  };
  [[nodiscard]] Holdings holdings() const { return holdings_of(process_); }
  static Holdings holdings_of(pid_t process) {
    const std::string base = "/proc/" + std::to_string(process);
    const auto count = [](const std::string& folder) {
      const std::filesystem::directory_iterator begin(folder), end;
      return static_cast<std::size_t>(std::distance(begin, end));
    };
    std::size_t lines = 0;
    if (std::FILE* maps = std::fopen((base + "/maps").c_str(), "re")) {
      for (int c; (c = std::fgetc(maps)) != EOF;) lines += c == '\n';
      std::fclose(maps);
    }
    return {count(base + "/fd"), lines, count(base + "/task")};
  }

 private:
  std::vector<std::string> options_;
  std::string folder_;
  pid_t process_ = -1;
};

}  // namespace d1::test
