// SPDX-License-Identifier: Apache-2.0
// A progress bar on standard error, if that is a terminal, for steps that take over a second.
// advance() may be called from any thread.
#pragma once

#include <d1/d1.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

class ProgressBar {
 public:
  // steps: how often advance() is called in all; 0: nobody knows.
  explicit ProgressBar(std::string what, std::size_t steps = 0)
      : what_(std::move(what)), steps_(steps) {}
  ~ProgressBar() {
    if (drawn_) std::fprintf(stderr, "\r\x1b[K");
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void advance() {
    const std::size_t done = ++done_;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock) draw(static_cast<double>(done) / static_cast<double>(steps_));
  }

  // Until the launch has ended; throws its error.
  void wait_for(const d1::Launch& launch) {
    for (;;) try {
        launch.wait(terminal_ ? d1::nanoseconds(std::chrono::milliseconds(200)) : d1::kDefaultWait);
        return;
      } catch (const d1::Exception& problem) {
        if (launch.done() || problem.kind() != d1::ErrorKind::Timeout || !terminal_) throw;
        draw(0);
      }
  }

 private:
  void draw(double share) {
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - start_;
    if (!terminal_ || passed.count() < 1 || now - last_ < std::chrono::milliseconds(100)) return;
    constexpr int kWidth = 30;
    const int full = static_cast<int>(share * kWidth);
    std::fprintf(stderr, "\r\x1b[K%s [%.*s%*s] %.0f s", what_.c_str(), full,
                 "##############################", kWidth - full, "", passed.count());
    std::fflush(stderr);
    last_ = now;
    drawn_ = true;
  }

  using Clock = std::chrono::steady_clock;
  const std::string what_;
  const std::size_t steps_;
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_{};
  std::atomic<std::size_t> done_ = 0;
  std::mutex mutex_;
  bool drawn_ = false;
};
