// SPDX-License-Identifier: Apache-2.0
// The only file of the driver that names liburing.
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "event_wait.hpp"

namespace d1::driver {

namespace {

constexpr unsigned kEntries = 4;  // a read of the event, a poll of the end, and room
constexpr std::uint64_t kEvent = 1, kEnd = 2;

// A read of the event is under way from one wait to the next, so an event that comes between them
// is there when the next begins.
class RingWait final : public EventWait::Way {
 public:
  RingWait(const io_uring& ring, int event, int end) : ring_(ring), event_(event) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_poll_add(entry, end, POLLIN);
    ::io_uring_sqe_set_data64(entry, kEnd);
  }
  ~RingWait() override { ::io_uring_queue_exit(&ring_); }  // what is under way is given up
  RingWait(const RingWait&) = delete;
  RingWait& operator=(const RingWait&) = delete;

  std::uint64_t wait(Deadline deadline) noexcept override {
    if (!reading_) {
      io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
      ::io_uring_prep_read(entry, event_, &value_, sizeof value_, 0);
      ::io_uring_sqe_set_data64(entry, kEvent);
      reading_ = true;
    }
    const auto left = std::max<Clock::duration>(deadline - Clock::now(), Clock::duration(0));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    __kernel_timespec span{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    io_uring_cqe* entry = nullptr;
    if (!ended_)
      (void)::io_uring_submit_and_wait_timeout(&ring_, &entry, 1, &span, nullptr);
    std::uint64_t events = 0;
    while (::io_uring_peek_cqe(&ring_, &entry) == 0) {
      const bool event = ::io_uring_cqe_get_data64(entry) == kEvent;
      if (event && entry->res == sizeof value_) events += value_;
      if (event) reading_ = false;
      else ended_ = true;
      ::io_uring_cqe_seen(&ring_, entry);
    }
    return events;
  }

 private:
  io_uring ring_;
  const int event_;
  std::uint64_t value_ = 0;
  bool reading_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<EventWait::Way> make_ring_wait(int event, int end) {
  io_uring ring{};
  if (::io_uring_queue_init(kEntries, &ring, 0) < 0) return nullptr;
  // Reads that wait in the kernel until there is something, and waits with a time (Linux 5.11).
  constexpr unsigned kNeeded = IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG;
  // A read of a descriptor that does not block would fail instead of waiting.
  const int flags = ::fcntl(event, F_GETFL);
  if ((ring.features & kNeeded) != kNeeded || flags < 0 ||
      ::fcntl(event, F_SETFL, flags & ~O_NONBLOCK) != 0) {
    ::io_uring_queue_exit(&ring);
    return nullptr;
  }
  return std::make_unique<RingWait>(ring, event, end);
}

}  // namespace d1::driver
