// SPDX-License-Identifier: Apache-2.0
#include "event_wait.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

namespace d1::driver {

namespace {

class PollingWait final : public EventWait::Way {
 public:
  PollingWait(int event, int end) : event_(event), end_(end) {}

  std::uint64_t wait(Deadline deadline) noexcept override {
    pollfd entries[] = {{event_, POLLIN, 0}, {end_, POLLIN, 0}};
    const auto left = std::max<Clock::duration>(deadline - Clock::now(), Clock::duration(0));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec span{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    std::uint64_t events = 0;
    const bool any = ::ppoll(entries, std::size(entries), &span, nullptr) > 0;
    if (!any || (entries[0].revents & POLLIN) == 0) return 0;
    return ::read(event_, &events, sizeof events) == sizeof events ? events : 0;
  }

 private:
  const int event_, end_;
};

}  // namespace

void EventWait::wait(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (asking_) {
    const std::uint64_t turn = turns_;
    asked_.wait_until(lock, deadline, [this, turn] { return turns_ != turn; });
    return;
  }
  asking_ = true;
  lock.unlock();
  // Pairs with the acquire of those who look at the count.
  count_.fetch_add(way_->wait(deadline), std::memory_order_release);
  lock.lock();
  asking_ = false;
  ++turns_;
  asked_.notify_all();
}

std::unique_ptr<EventWait::Way> make_polling_wait(int event, int end) {
  return std::make_unique<PollingWait>(event, end);
}

std::unique_ptr<EventWait::Way> make_event_wait(int event, int end) {
  const char* const asked = std::getenv("D1_IO_URING");
  if (asked == nullptr || std::string_view(asked) != "0")
    if (auto ring = make_ring_wait(event, end)) return ring;
  return make_polling_wait(event, end);
}

}  // namespace d1::driver
