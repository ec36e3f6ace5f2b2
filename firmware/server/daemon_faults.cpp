// SPDX-License-Identifier: Apache-2.0
#include "daemon_faults.hpp"

#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace d1::server {
namespace {

constexpr std::string_view kPlanOption = "--faults";

// Whoever goes on with this process must not be one of its threads: a child, which does nothing
// but what is safe behind fork().
void stop_for(std::chrono::milliseconds time) {
  const pid_t self = ::getpid();
  const timespec span{time.count() / 1000, time.count() % 1000 * 1'000'000};
  const pid_t child = ::fork();
  if (child == 0) {
    timespec left = span;
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {}
    ::kill(self, SIGCONT);
    ::_exit(0);
  }
  if (child < 0) {
    spdlog::error("the daemon is not stopped, since nobody could continue it: {}",
                  std::generic_category().message(errno));
    return;
  }
  ::kill(self, SIGSTOP);
  (void)::waitpid(child, nullptr, 0);  // it has ended when this goes on
}

void restart() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string words{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> kept;
  for (std::size_t at = 0; at < words.size();) {
    std::string word = words.c_str() + at;
    at += word.size() + 1;
    if (word == kPlanOption) at += std::string_view(words.c_str() + at).size() + 1;
    else if (!word.starts_with(std::string(kPlanOption) + "=")) kept.push_back(std::move(word));
  }
  std::vector<char*> arguments;
  for (std::string& word : kept) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // Its threads block signals; the new program must not.
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::execv("/proc/self/exe", arguments.data());
  spdlog::error("the daemon does not restart: {}", std::generic_category().message(errno));
  ::kill(::getpid(), SIGKILL);
}

}  // namespace

void meet_daemon_fault(const emulator::FaultEvent& event) {
  switch (event.kind) {
    case emulator::FaultKind::DaemonKill: ::kill(::getpid(), SIGKILL); break;
    case emulator::FaultKind::DaemonStop:
      if (event.for_ms) stop_for(*event.for_ms);
      else ::kill(::getpid(), SIGSTOP);
      break;
    case emulator::FaultKind::DaemonRestart: restart(); break;
    default: break;
  }
}

}  // namespace d1::server
