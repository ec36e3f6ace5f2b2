// SPDX-License-Identifier: Apache-2.0
// Host threads that share out the nodes of a quantum. The calling thread always works too; helpers
// join if they are awake in time and sleep after a while without work. A job wakes as many as it
// has work for: one for each kWorthWaking items, so nobody for a few. It ends when every item was
// done, not when every helper took part: nobody waits for a thread to wake up.
// run() is called by one thread at a time.
//
// Each thread begins with a share of its own, the same one in every job of as many items, and then
// helps the others with theirs: nodes stay in the caches of the core that ran them last. Jobs go
// through the shares forwards and backwards in turn, so that of a share larger than the caches the
// part that was used last comes first.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace d1::emulator {

class WorkerPool {
 public:
  using Work = std::function<void(std::uint32_t item, unsigned worker)>;
  // An item is to come soon. Near: on this thread, whose it is. Group: the same, earlier, in one go
  // with others. Far: perhaps on another one, which may work on it already, so it may not be read.
  enum class Ahead : std::uint8_t { Far, Group, Near };
  using Look = std::function<void(std::uint32_t item, Ahead ahead)>;
  static constexpr std::uint32_t kWorthWaking = 8;  // own: items for which a sleeper is woken

  // threads counts the caller; 1 makes no helpers. join_delay, for tests, is called by each thread
  // that takes part in a job before it takes its first item.
  explicit WorkerPool(unsigned threads, std::function<void(unsigned worker)> join_delay = {});
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] unsigned threads() const noexcept {
    return static_cast<unsigned>(helpers_.size()) + 1;
  }
  // Calls work(item, worker) once for each item below count; the caller is worker 0. Before that,
  // mostly, look(item, ...) from Far to Near, on the same thread: to fetch what will be needed.
  // Throws what an item threw, the first of them, once no thread works any more; a thread that met
  // one takes no more items, so some are not done.
  void run(std::uint32_t count, const Work& work, const Look& look);
  // Helpers that were woken, ever.
  [[nodiscard]] std::uint64_t wakes() const noexcept { return woken_; }
  // Helpers that sleep.
  [[nodiscard]] std::uint32_t sleepers() const noexcept { return sleepers_.load(); }

 private:
  // state_: [63:32] number of the job, bit 31 open, [30:0] helpers that joined it.
  static constexpr std::uint64_t kOpen = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kJoined = kOpen - 1;

  void helper(unsigned worker);
  // What is left of one thread's share. A cache line of its own: its thread counts it up often.
  struct alignas(64) Share {
    std::atomic<std::uint32_t> next{0};
    std::uint32_t begin = 0, end = 0;
  };
  void take_part(unsigned worker) noexcept;
  void take_items(unsigned worker);
  void take_from(Share& share, unsigned worker);
  void end_helpers();
  void wake(std::uint32_t helpers);
  bool wait_for_job(std::uint64_t& seen);

  alignas(64) std::atomic<std::uint64_t> state_{0};
  std::vector<Share> shares_;  // by worker
  alignas(64) std::atomic<std::uint32_t> finished_{0};
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<std::uint32_t> wakes_{0};
  std::atomic<bool> quit_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  std::uint32_t chunk_ = 1;
  std::uint64_t woken_ = 0;
  bool backwards_ = false;
  const Work* work_ = nullptr;
  const Look* look_ = nullptr;
  std::function<void(unsigned)> join_delay_;
  std::vector<std::thread> helpers_;
};

}  // namespace d1::emulator
