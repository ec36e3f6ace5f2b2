// SPDX-License-Identifier: Apache-2.0
// Reads the device's log ring: what kernels print, as whole records with their origin.
//
// Ownership: owns the ring's memory; must not outlive the Device. Threads: poll() may be called
// from any thread; the sink runs on that thread, one call at a time, and must not poll.
// Nothing here waits.
#pragma once

#include <d1/abi/log.h>
#include <d1/base/error.hpp>
#include <d1/driver/dma.hpp>

#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

namespace d1::driver {

struct LogLine {
  unsigned die, node, rank, hart;
  std::uint64_t launch_id, cycle;
  std::string_view text;  // valid during the call
};

using LogSink = std::function<void(const LogLine& line)>;

class LogReader {
 public:
  // Takes `ring` and tells the device where it is.
  LogReader(Transport& transport, DmaBuffer ring);
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  ~LogReader();

  void set_sink(LogSink sink);
  // Hands every record there is to the sink. A record the contract forbids is a Protocol error;
  // the ring is skipped to its head then.
  [[nodiscard]] Result<> poll();
  // Records the device had to drop so far.
  [[nodiscard]] std::uint64_t lost_records() const;

 private:
  Transport& transport_;
  DmaBuffer ring_;
  std::mutex mutex_;
  LogSink sink_;
  std::uint64_t tail_ = 0;
};

}  // namespace d1::driver
