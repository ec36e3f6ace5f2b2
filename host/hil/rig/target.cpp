// SPDX-License-Identifier: Apache-2.0
#include "rig/target.hpp"

#include <d1/driver/limits.hpp>
#include <d1/hil/rig.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

extern char** environ;

namespace d1::hil {
namespace {

constexpr std::chrono::milliseconds kLook{5};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// In D1_PROGRAMS, else beside this program, else wherever the shell would find it.
std::string d1_program() {
  namespace fs = std::filesystem;
  std::error_code error;
  if (const std::string folder = environment("D1_PROGRAMS"); !folder.empty())
    return folder + "/d1";
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path() / "d1";
  return fs::exists(beside, error) ? beside.string() : "d1";
}

// What a process has for input and output (-1: nothing, and ours), and the file of its errors.
struct Streams {
  int input = -1, output = -1;
  std::string errors;
};

// -1: an errno is set.
pid_t spawn(std::vector<std::string> words, const Streams& streams) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (streams.input >= 0)
    ::posix_spawn_file_actions_adddup2(&actions, streams.input, STDIN_FILENO);
  else ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (streams.output >= 0)
    ::posix_spawn_file_actions_adddup2(&actions, streams.output, STDOUT_FILENO);
  if (!streams.errors.empty())
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, streams.errors.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0666);
  pid_t process = -1;
  const int failed =
      ::posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  errno = failed;
  return failed == 0 ? process : -1;
}

// Its wait status, or nothing if it has not ended by then.
std::optional<int> wait_for(pid_t process, driver::Deadline deadline) {
  int status = 0;
  while (::waitpid(process, &status, WNOHANG) == 0) {
    if (driver::Clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(kLook);
  }
  return status;
}

// Its clients see their sockets closed before it can be waited for; its memory is gone by then.
bool is_ending(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/statm", process));
  std::uint64_t pages = 0;
  return !(file >> pages) || pages == 0;
}

// Whether all its threads stand by then. Its status stays to be waited for.
bool stop(pid_t process, driver::Deadline deadline) {
  for (;;) {
    ::kill(process, SIGSTOP);  // again and again: a daemon that restarts itself forgets a stop
    siginfo_t about{};
    constexpr int kLookOnly = WSTOPPED | WEXITED | WNOHANG | WNOWAIT;
    if (::waitid(P_PID, static_cast<id_t>(process), &about, kLookOnly) == 0 && about.si_pid != 0)
      return about.si_code == CLD_STOPPED;
    if (driver::Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLook);
  }
}

void close_if_open(int file) {
  if (file >= 0) ::close(file);
}

// What it writes up to its end, or up to a newline.
std::string read_output(int output, bool first_line, driver::Deadline deadline) {
  std::string text;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - driver::Clock::now());
    pollfd entry{output, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return text;
    std::array<char, 4096> piece;
    const ssize_t count = ::read(output, piece.data(), piece.size());
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (first_line && text.find('\n') != std::string::npos) return text;
  }
}

}  // namespace

Result<std::unique_ptr<Target>> Target::make(std::string machine, std::vector<std::string> serve,
                                             std::string log) {
  std::unique_ptr<Target> target(new Target);
  target->power_ = environment("D1_HIL_POWER");
  if (target->transport_ = environment("D1_HIL_TARGET"); !target->transport_.empty())
    return target;
  std::array<char, 24> name{"/tmp/d1-rig-XXXXXX"};  // short, as paths of sockets must be
  if (::mkdtemp(name.data()) == nullptr)
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("No folder can be made in /tmp for the daemon of a rig: {}.",
                            std::generic_category().message(errno)));
  target->folder_ = name.data();
  target->machine_ = std::move(machine);
  target->serve_ = std::move(serve);
  target->log_ = std::move(log);
  target->transport_ = "vfio-user:" + target->folder_ + "/dut.sock";
  const std::lock_guard guard(target->mutex_);
  if (auto started = target->start(); !started) return std::unexpected(std::move(started.error()));
  return target;
}

Target::~Target() {
  const std::lock_guard guard(mutex_);
  if (runs()) (void)end();
  close_if_open(input_);
  std::error_code error;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, error);
}

bool Target::runs() {
  if (process_ <= 0) return false;
  const auto deadline = is_ending(process_) ? driver::after(Rig::kPowerTime) : driver::Clock::now();
  if (wait_for(process_, deadline)) process_ = -1;
  return process_ > 0;
}

Result<> Target::start() {
  std::vector<std::string> words = {d1_program(), "serve",  "--until-input-ends",
                                    "--dir",      folder_,  "--machine",
                                    machine_,     "--dpu",  "dut=all"};
  words.insert(words.end(), serve_.begin(), serve_.end());
  close_if_open(std::exchange(input_, -1));
  std::array<int, 2> input{-1, -1}, output{-1, -1};
  if (::pipe2(input.data(), O_CLOEXEC) == 0 && ::pipe2(output.data(), O_CLOEXEC) == 0)
    process_ = spawn(words, {input[0], output[1], log_});
  const int reason = errno;
  close_if_open(input[0]);
  close_if_open(output[1]);
  input_ = input[1];
  std::string said;
  if (process_ > 0) said = read_output(output[0], true, driver::after(Rig::kPowerTime));
  close_if_open(output[0]);
  if (process_ <= 0)
    return fail(ErrorKind::Invalid,
                fmt::format("The daemon '{}' cannot be started: {}. D1_PROGRAMS may name the "
                            "folder of d1, or D1_HIL_TARGET a device that is there.",
                            words[0], std::generic_category().message(reason)));
  if (said.find('\n') != std::string::npos) return {};
  (void)end();
  return fail(ErrorKind::DeviceLost,
              fmt::format("The daemon of the rig did not start; its log is '{}'.", log_));
}

Result<> Target::end() {
  const pid_t process = std::exchange(process_, -1);
  ::kill(process, SIGTERM);
  ::kill(process, SIGCONT);
  close_if_open(std::exchange(input_, -1));
  if (wait_for(process, driver::after(Rig::kPowerTime))) return {};
  ::kill(process, SIGKILL);
  (void)wait_for(process, driver::after(Rig::kPowerTime));
  return fail(ErrorKind::Timeout, fmt::format("The daemon of the rig did not end within {} s and "
                                              "was killed.",
                                              Rig::kPowerTime.count()));
}

Result<> Target::switch_power(const char* how) const {
  if (power_.empty())
    return fail(ErrorKind::Unsupported,
                fmt::format("The power of '{}' cannot be switched: D1_HIL_POWER names no command "
                            "that takes off, on and cycle.",
                            transport_));
  const pid_t process = spawn({"/bin/sh", "-c", power_ + " " + how}, {});
  const auto status = process > 0 ? wait_for(process, driver::after(Rig::kPowerTime)) : -1;
  if (status == 0) return {};
  if (process > 0 && !status) {
    ::kill(process, SIGKILL);
    (void)wait_for(process, driver::after(Rig::kPowerTime));
  }
  return fail(ErrorKind::DeviceLost,
              fmt::format("D1_HIL_POWER ('{} {}') {}.", power_, how,
                          status ? "failed" : "has not ended in time"));
}

Result<> Target::off() {
  const std::lock_guard guard(mutex_);
  if (!own()) return switch_power("off");
  return runs() ? end() : Result<>{};
}

Result<> Target::on() {
  const std::lock_guard guard(mutex_);
  if (!own()) return switch_power("on");
  return runs() ? Result<>{} : start();
}

Result<> Target::cycle() {
  const std::lock_guard guard(mutex_);
  if (!own()) return switch_power("cycle");
  if (auto done = runs() ? end() : Result<>{}; !done) return done;
  return start();
}

Result<> Target::signal(int number) {
  const std::lock_guard guard(mutex_);
  if (!own() || !runs())
    return fail(ErrorKind::Unsupported,
                fmt::format("'{}' is no daemon that this rig runs, so it gets no signals.",
                            transport_));
  const auto deadline = driver::after(Rig::kPowerTime);
  if (number != SIGSTOP) ::kill(process_, number);
  const bool done = number == SIGKILL   ? wait_for(process_, deadline).has_value()
                    : number == SIGSTOP ? stop(process_, deadline)
                                        : true;
  if (done && number == SIGKILL) process_ = -1;
  if (done) return {};
  return fail(ErrorKind::Timeout, fmt::format("The daemon of the rig did not follow signal {} "
                                              "within {} s, or ended.",
                                              number, Rig::kPowerTime.count()));
}

std::string Target::status() const {
  // A DPU's socket lies in the folder of its daemon.
  const std::size_t colon = transport_.find(':');
  if (!transport_.starts_with("vfio-user") || colon == std::string::npos) return {};
  const std::filesystem::path folder =
      std::filesystem::path(transport_.substr(colon + 1)).parent_path();
  std::array<int, 2> output{-1, -1};
  if (folder.empty() || ::pipe2(output.data(), O_CLOEXEC) != 0) return {};
  const pid_t process =
      spawn({d1_program(), "ps", "--json", "--dir", folder.string()}, {-1, output[1], ""});
  ::close(output[1]);
  std::string said = process > 0 ? read_output(output[0], false, driver::after(Rig::kPowerTime))
                                 : std::string();
  ::close(output[0]);
  if (process > 0) (void)wait_for(process, driver::after(Rig::kPowerTime));
  return said;
}

}  // namespace d1::hil
