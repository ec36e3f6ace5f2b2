// SPDX-License-Identifier: Apache-2.0
#include "worker_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace d1::emulator {

namespace {

constexpr auto kSpin = std::chrono::microseconds(200);  // a wake across cores costs about 60 us
constexpr unsigned kPausesBeforeYield = 256;            // about 10 us: longer than most waits
// Own: items, each some 100 ns to some us, while a fetch from the host's memory takes 100 ns.
constexpr std::uint32_t kFarAhead = 6, kNearAhead = 3;

// One step of waiting for another core; on a busy host lets that thread run after a while.
void pause_briefly(unsigned round) {
#if defined(__x86_64__)
  if (round % kPausesBeforeYield != 0) return __builtin_ia32_pause();
#endif
  std::this_thread::yield();
}

}  // namespace

WorkerPool::WorkerPool(unsigned threads, std::function<void(unsigned)> join_delay)
    : shares_(std::max(1u, threads)), join_delay_(std::move(join_delay)) {
  try {
    for (unsigned worker = 1; worker < threads; ++worker)
      helpers_.emplace_back([this, worker] { helper(worker); });
  } catch (...) {  // the host has no thread left
    end_helpers();
    throw;
  }
}

WorkerPool::~WorkerPool() { end_helpers(); }

void WorkerPool::end_helpers() {
  quit_.store(true);
  wakes_.fetch_add(1);
  wakes_.notify_all();
  for (auto& thread : helpers_) thread.join();
}

void WorkerPool::run(std::uint32_t count, const Work& work, const Look& look) {
  if (count == 1) return work(0, 0);
  work_ = &work;
  look_ = &look;
  // Small chunks balance the load, large ones keep neighbours' memory on one core.
  chunk_ = std::clamp<std::uint32_t>(count / (threads() * 16), 1, 16);
  backwards_ = !backwards_;
  for (unsigned worker = 0; worker < threads(); ++worker) {
    Share& share = shares_[worker];
    share.begin = static_cast<std::uint32_t>(std::uint64_t{count} * worker / threads());
    share.end = static_cast<std::uint32_t>(std::uint64_t{count} * (worker + 1) / threads());
    share.next.store(share.begin, std::memory_order_relaxed);
  }
  if (helpers_.empty()) return take_items(0);
  finished_.store(0, std::memory_order_relaxed);
  const std::uint64_t job = (state_.load(std::memory_order_relaxed) >> 32) + 1;
  // Publishes the job's fields; pairs with the acquire of the helper's compare-exchange.
  state_.store(job << 32 | kOpen, std::memory_order_seq_cst);
  wake(count / kWorthWaking);
  if (join_delay_) join_delay_(0);
  take_part(0);
  const std::uint64_t joined =
      state_.fetch_and(~kOpen, std::memory_order_acq_rel) & kJoined;
  // The helpers' results are visible once they have counted themselves out (release there).
  for (unsigned round = 1; finished_.load(std::memory_order_acquire) != joined; ++round)
    pause_briefly(round);
  if (failed_.load(std::memory_order_relaxed)) [[unlikely]] {
    failed_.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

// Wakes at most so many of those that sleep.
void WorkerPool::wake(std::uint32_t helpers) {
  helpers = std::min(helpers, sleepers_.load(std::memory_order_seq_cst));
  if (helpers == 0) return;
  woken_ += helpers;
  wakes_.fetch_add(1, std::memory_order_seq_cst);
  if (helpers == helpers_.size()) return wakes_.notify_all();
  for (; helpers != 0; --helpers) wakes_.notify_one();
}

void WorkerPool::take_part(unsigned worker) noexcept {
  try {
    take_items(worker);
  } catch (...) {  // read by run() after this thread has counted itself out, or is its own
    if (!failed_.exchange(true, std::memory_order_relaxed)) failure_ = std::current_exception();
  }
}

void WorkerPool::take_items(unsigned worker) {
  for (unsigned i = 0; i < shares_.size(); ++i)
    take_from(shares_[(worker + i) % shares_.size()], worker);
}

void WorkerPool::take_from(Share& share, unsigned worker) {
  const auto item_at = [&share, this](std::uint32_t place) {
    return backwards_ ? share.begin + share.end - 1 - place : place;
  };
  const std::uint32_t far = std::max(chunk_, kFarAhead);
  while (share.next.load(std::memory_order_relaxed) < share.end) {
    const std::uint32_t first = share.next.fetch_add(chunk_, std::memory_order_relaxed);
    if (first >= share.end) return;
    const std::uint32_t last = std::min(share.end, first + chunk_);
    for (std::uint32_t place = first; place < last; ++place)
      (*look_)(item_at(place), Ahead::Group);
    const auto look_near = [&](std::uint32_t place) {
      if (place < last) (*look_)(item_at(place), Ahead::Near);
    };
    for (std::uint32_t i = 0; i < kNearAhead; ++i) look_near(first + i);
    for (std::uint32_t place = first; place < last; ++place) {
      if (place + far < share.end) (*look_)(item_at(place + far), Ahead::Far);
      look_near(place + kNearAhead);
      (*work_)(item_at(place), worker);
    }
  }
}

// Spins, then sleeps, until there is a job newer than `seen` that can be joined; false at the end.
bool WorkerPool::wait_for_job(std::uint64_t& seen) {
  auto spin_until = std::chrono::steady_clock::now() + kSpin;
  for (unsigned round = 1;; ++round) {
    if (quit_.load(std::memory_order_relaxed)) return false;
    std::uint64_t state = state_.load(std::memory_order_acquire);
    if (state >> 32 != seen && (state & kOpen) != 0) {
      // Pairs with the publication in run(): after this the job's fields are ours to read.
      if (state_.compare_exchange_strong(state, state + 1, std::memory_order_acq_rel)) {
        seen = state >> 32;
        return true;
      }
      continue;
    }
    pause_briefly(round);
    if (round % 64 != 0 || std::chrono::steady_clock::now() < spin_until) continue;
    const std::uint32_t ticket = wakes_.load(std::memory_order_seq_cst);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    state = state_.load(std::memory_order_seq_cst);
    const bool idle = state >> 32 == seen || (state & kOpen) == 0;
    if (idle && !quit_.load()) wakes_.wait(ticket);
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    spin_until = std::chrono::steady_clock::now() + kSpin;
  }
}

void WorkerPool::helper(unsigned worker) {
  std::uint64_t seen = 0;
  while (wait_for_job(seen)) {
    if (join_delay_) join_delay_(worker);
    take_part(worker);
    finished_.fetch_add(1, std::memory_order_release);
  }
}

}  // namespace d1::emulator
