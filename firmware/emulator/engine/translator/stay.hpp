// SPDX-License-Identifier: Apache-2.0
// Which threads may be in translated code, so that code is dropped only when none is. A thread
// stays from the first entry in a turn to the turn's end: it comes and goes between interpreted
// blocks without telling anybody. Each thread counts in a line of its own; none waits for others.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/translator/per_thread.hpp"

namespace d1::emulator {

using Insiders = PerThread<std::atomic<std::uint32_t>>;

[[nodiscard]] inline bool any(const Insiders& insiders) noexcept {
  bool found = false;
  insiders.for_each([&found](const std::atomic<std::uint32_t>& count) {
    found = found || count.load(std::memory_order_seq_cst) != 0;
  });
  return found;
}

class Stay {
 public:
  explicit Stay(Insiders& insiders) noexcept : insiders_(insiders) {}
  ~Stay() { end(); }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

  [[nodiscard]] bool begun() const noexcept { return mine_ != nullptr; }
  void begin() noexcept {
    mine_ = &insiders_.mine();
    mine_->fetch_add(1, std::memory_order_seq_cst);
  }
  void end() noexcept {
    if (mine_ != nullptr) mine_->fetch_sub(1, std::memory_order_release);
    mine_ = nullptr;
  }

 private:
  Insiders& insiders_;
  std::atomic<std::uint32_t>* mine_ = nullptr;
};

}  // namespace d1::emulator
