// SPDX-License-Identifier: Apache-2.0
// A line on the terminal while a step takes longer than a second; nothing where standard error is
// no terminal. Gone when the object dies. One thread.
#pragma once

#include <chrono>
#include <string>

namespace d1::tools {

class Progress {
 public:
  explicit Progress(std::string step);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  [[nodiscard]] bool visible() const noexcept { return terminal_; }
  // Draws anew: seconds passed, and what there is to say.
  void update(const std::string& detail);

 private:
  const std::string step_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const bool terminal_;
  bool drawn_ = false;
};

}  // namespace d1::tools
