// SPDX-License-Identifier: Apache-2.0
#include "subprocess.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

extern char** environ;

namespace d1::runtime {
namespace {

std::string errno_text(int number) { return std::generic_category().message(number); }

class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      read_ = ends[0];
      write_ = ends[1];
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_read();
    close_write();
  }
  [[nodiscard]] bool valid() const { return read_ >= 0; }
  [[nodiscard]] int read_end() const { return read_; }
  [[nodiscard]] int write_end() const { return write_; }
  void close_read() { close_one(read_); }
  void close_write() { close_one(write_); }

 private:
  static void close_one(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
  }
  int read_ = -1, write_ = -1;
};

// False: it lives on at the deadline, though it has closed what it writes to.
bool ended(pid_t process, int& status, driver::Deadline deadline) {
  for (;;) {
    const pid_t got = ::waitpid(process, &status, WNOHANG);
    if (got > 0 || (got < 0 && errno != EINTR)) return true;
    if (driver::Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

// Reads both pipes until both are at their end; false: the deadline came first.
bool drain(Pipe& output, Pipe& errors, ProcessResult& result, driver::Deadline deadline) {
  const std::array<std::pair<Pipe*, std::string*>, 2> sources{
      {{&output, &result.output}, {&errors, &result.errors}}};
  while (output.valid() || errors.valid()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - driver::Clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> polled{{{output.read_end(), POLLIN, 0}, {errors.read_end(), POLLIN, 0}}};
    const int timeout = static_cast<int>(std::min<std::int64_t>(left.count(), 1000));
    if (::poll(polled.data(), polled.size(), timeout) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (!polled[i].revents) continue;
      std::array<char, 65536> block;
      const ssize_t got = ::read(polled[i].fd, block.data(), block.size());
      if (got > 0) {
        sources[i].second->append(block.data(), static_cast<std::size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        sources[i].first->close_read();
      }
    }
  }
  return true;
}

}  // namespace

Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  driver::Deadline deadline) {
  Pipe output, errors;
  if (!output.valid() || !errors.valid()) {
    return fail(ErrorKind::ResourceExhausted, fmt::format("No pipe could be made to run '{}': {}.",
                                                          arguments[0], errno_text(errno)));
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.write_end(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors.write_end(), 2);
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t process = 0;
  const int error =
      ::posix_spawnp(&process, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(ErrorKind::Unsupported, fmt::format("The program '{}' cannot be run: {}.",
                                                    arguments[0], errno_text(error)));
  }
  output.close_write();
  errors.close_write();
  ProcessResult result;
  int status = 0;
  const bool in_time =
      drain(output, errors, result, deadline) && ended(process, status, deadline);
  if (!in_time) {
    ::kill(process, SIGKILL);
    (void)ended(process, status, driver::Deadline::max());  // at once
    return fail(
        ErrorKind::Timeout,
        fmt::format("The program '{}' had not ended in time and was stopped.", arguments[0]));
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace d1::runtime
