// SPDX-License-Identifier: Apache-2.0
// The device's end of the log ring (d1/abi/log.h). Records that find the ring full wait in a
// bounded store; past that they are dropped and counted, never waited for.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include <d1/abi/log.h>

#include "dip/dma_map.hpp"
#include "live_page.hpp"

namespace d1::emulator {

class LogRing {
 public:
  // `live`: where the host sees head and lost.
  explicit LogRing(const LivePage& live)
      : head_(live.at(D1_REG_LOG_HEAD)), lost_(live.at(D1_REG_LOG_LOST)) {}

  void configure(std::uint64_t base, std::uint64_t bytes) noexcept;
  void append(DmaMap& dma, d1_log_record record, std::string_view text);
  // Moves what waits into the ring as far as there is room.
  void flush(DmaMap& dma);

  // Any thread.
  void set_tail(std::uint64_t tail) noexcept { tail_.store(tail, std::memory_order_release); }
  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_.load(); }
  [[nodiscard]] std::uint64_t head() const noexcept {
    return head_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(); }
  [[nodiscard]] bool waiting() const noexcept { return !store_.empty(); }

 private:
  bool put(DmaMap& dma, std::string_view bytes);

  std::uint64_t base_ = 0, size_ = 0;
  std::atomic<std::uint64_t>&head_, &lost_;
  std::atomic<std::uint64_t> tail_{0};
  std::deque<std::string> store_;  // whole records
  std::uint64_t stored_ = 0;       // bytes in store_
};

}  // namespace d1::emulator
