// SPDX-License-Identifier: Apache-2.0
// A daemon of the test's own: `d1 serve` in a process that the test may stop, continue and kill,
// its sockets in a folder that goes with it. One thread.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "child_process.hpp"

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
    process_.reset();
    std::filesystem::remove_all(folder_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void start() {
    const char* programs = std::getenv("D1_PROGRAMS");
    std::vector<std::string> words = {std::string(programs ? programs : ".") + "/d1", "serve",
                                      "--log-level", "warn", "--dir", folder_};
    words.insert(words.end(), options_.begin(), options_.end());
    process_.emplace(words);
    if (!process_->wait_for_byte()) throw std::runtime_error(words[0] + " serve did not start");
  }

  void signal(int number) { process_->signal(number); }
  int end(int number) { return process_->end(number); }

  [[nodiscard]] pid_t process() const { return process_->id(); }
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
  [[nodiscard]] Holdings holdings() const { return holdings_of(process()); }
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
  // Its own memory in use, what it shares with its clients aside.
  [[nodiscard]] std::size_t anonymous_bytes() const {
    std::ifstream file("/proc/" + std::to_string(process()) + "/smaps_rollup");
    for (std::string word; file >> word;)
      if (std::size_t kibibytes = 0; word == "Anonymous:" && file >> kibibytes)
        return kibibytes * 1024;
    return 0;
  }

 private:
  std::vector<std::string> options_;
  std::string folder_;
  std::optional<ChildProcess> process_;
};

}  // namespace d1::test
