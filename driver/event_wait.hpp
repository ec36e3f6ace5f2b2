// SPDX-License-Identifier: Apache-2.0
// Waiting for interrupts: for an eventfd to be written, for the end of the connection, or for a
// deadline. By io_uring, which waits and takes the event in one call, or by ppoll and read.
//
// Ownership: the descriptors are the caller's and outlive this. Threads: any number may wait; one
// of them asks the kernel, the others wait for it.
#pragma once

#include <d1/driver/limits.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace d1::driver {

class EventWait {
 public:
  // One wait of one thread.
  class Way {
   public:
    virtual ~Way() = default;
    // Until the event was written (how often; taken), `end` can be read (0) or the deadline (0).
    virtual std::uint64_t wait(Deadline deadline) noexcept = 0;
  };

  // `count` goes up by what is taken from the event.
  EventWait(std::unique_ptr<Way> way, std::atomic<std::uint64_t>& count)
      : way_(std::move(way)), count_(count) {}

  // Returns when any of that has happened, and perhaps sooner: look, and wait again.
  void wait(Deadline deadline);

 private:
  const std::unique_ptr<Way> way_;
  std::atomic<std::uint64_t>& count_;
  std::mutex mutex_;
  std::condition_variable asked_;  // the one who asks the kernel is back
  bool asking_ = false;
  std::uint64_t turns_ = 0;
};

// By io_uring, unless the kernel lacks what it takes or D1_IO_URING is 0; else by ppoll. `event`
// must be used for nothing else: it blocks from now on.
[[nodiscard]] std::unique_ptr<EventWait::Way> make_event_wait(int event, int end);
[[nodiscard]] std::unique_ptr<EventWait::Way> make_polling_wait(int event, int end);
// Null where it cannot be had.
[[nodiscard]] std::unique_ptr<EventWait::Way> make_ring_wait(int event, int end);

}  // namespace d1::driver
