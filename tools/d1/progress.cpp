// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace d1::tools {

Progress::Progress(std::string step)
    : step_(std::move(step)), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(const std::string& detail) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  if (!terminal_ || passed.count() < 1) return;
  // How much is left nobody knows; a mark that moves shows that something happens.
  constexpr int kWidth = 20;
  const int place = static_cast<int>(passed.count() * 4) % kWidth;
  fmt::print(stderr, "\r\x1b[K{} [{:{}}#{:{}}] {:.0f} s, {}", step_, "", place, "",
             kWidth - 1 - place, passed.count(), detail);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace d1::tools
