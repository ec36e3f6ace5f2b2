// SPDX-License-Identifier: Apache-2.0
// A small device model in the test's own hands: it executes the ring protocol of d1/abi and answers
// commands by a function the test gives. It does nothing by itself: commands wait until the host
// waits (wait_for_interrupt) or the test calls work(). One mutex; callable from any thread.
#pragma once

#include <d1/abi/commands.h>
#include <d1/abi/log.h>
#include <d1/abi/registers.h>
#include <d1/driver/queue_pair.hpp>
#include <d1/driver/transport.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace d1::test {

struct Answer {
  std::uint16_t status = D1_STATUS_OK;
  std::uint64_t detail = 0;
};

class FakeTransport final : public driver::Transport {
 public:
  // nullopt: keep the command in flight (an abort ends it).
  using Answerer =
      std::function<std::optional<Answer>(unsigned queue, const driver::CommandBytes&)>;

  struct Settings {
    std::uint64_t id = D1_ID_MAGIC << 16 | D1_ABI_VERSION;
    bool becomes_ready = true;
    bool answers_disable = true;
    bool fails_unmap = false;
    bool needs_file = false;
    std::uint32_t queue_pairs = D1_QUEUE_PAIRS;
  };
  Settings settings;
  Answerer answer = [](unsigned, const driver::CommandBytes&) { return Answer{}; };
  std::atomic<bool> heart_stopped = false;
  std::atomic<bool> working = true;  // false: the device does nothing more, but lives
  std::atomic<bool> vanished = false;
  std::atomic<bool> ignores_aborts = false;
  std::atomic<unsigned> submission_doorbells = 0, completion_doorbells = 0;
  std::atomic<unsigned> stalls = 0;  // completions the device could not place

  std::string description() const override { return "a fake device"; }

  std::uint64_t read_register64(std::uint32_t offset) override {
    std::lock_guard lock(mutex_);
    if (vanished) return ~0ull;
    switch (offset) {
      case D1_REG_ID:
        return settings.id;
      case D1_REG_STATUS:
        return settings.becomes_ready && registers_[D1_REG_CONTROL] ? 1 : 0;
      case D1_REG_QUEUES:
        return std::uint64_t{settings.queue_pairs} << 32 | 64;
      case D1_REG_DIES:
        return 1ull << 32 | 1;
      case D1_REG_MESH:
        return 18ull << 32 | 20;
      case D1_REG_NODES:
        return 354;
      case D1_REG_HBM_BYTES:
        return 1ull << 35;
      case D1_REG_CLOCK_HZ:
        return 2'000'000'000;
      case D1_REG_HEARTBEAT:
        return heart_stopped ? heartbeat_ : ++heartbeat_;
      default:
        return registers_[offset];
    }
  }

  void write_register64(std::uint32_t offset, std::uint64_t value) override {
    std::lock_guard lock(mutex_);
    if (vanished) return;
    if (offset >= D1_REG_QUEUE_BASE && offset < D1_REG_DOORBELL_BASE &&
        (offset - D1_REG_QUEUE_BASE) % D1_QUEUE_STRIDE == D1_QUEUE_ENABLE) {
      if (value == 0 && !settings.answers_disable) return;
      queues_[(offset - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE] = Queue{};
    }
    registers_[offset] = value;
  }

  void ring_doorbell32(std::uint32_t offset, std::uint32_t value) override {
    std::lock_guard lock(mutex_);
    const std::uint32_t number = (offset - D1_REG_DOORBELL_BASE) / 8;
    if (offset % 8 == 0) {
      ++submission_doorbells;
      queues_[number].submission_tail = value;
    } else {
      ++completion_doorbells;
      queues_[number].completion_head = value;
    }
  }

  driver::DmaRequirements dma_requirements() const override {
    return {driver::limits::kDmaPageBytes, settings.needs_file};
  }
  Result<> dma_map(std::uint64_t iova, const driver::DmaMemory& memory,
                   driver::DmaAccess) override {
    std::lock_guard lock(mutex_);
    map_[iova] = memory;
    return {};
  }
  Result<> dma_unmap(std::uint64_t iova, std::uint64_t) override {
    std::lock_guard lock(mutex_);
    if (settings.fails_unmap || vanished) return fail(ErrorKind::DeviceLost, "It does not answer.");
    map_.erase(iova);
    return {};
  }
  Result<> read_aperture(std::uint64_t, void*, std::uint64_t) override {
    return fail(ErrorKind::Unsupported, "The fake device has no aperture.");
  }
  Result<> write_aperture(std::uint64_t, const void*, std::uint64_t) override {
    return fail(ErrorKind::Unsupported, "The fake device has no aperture.");
  }

  std::uint64_t interrupt_count(unsigned vector) const noexcept override {
    return interrupts_[vector].load();
  }
  void wait_for_interrupt(unsigned vector, std::uint64_t seen, driver::Deadline deadline) override {
    if (working) work();
    std::unique_lock lock(mutex_);
    raised_.wait_until(lock, deadline,
                       [&] { return interrupts_[vector].load() != seen || vanished.load(); });
  }
  bool lost() const noexcept override { return vanished; }

  // Fetches and answers everything the doorbells announced.
  void work() {
    std::lock_guard lock(mutex_);
    if (vanished) return;
    for (unsigned number = 0; number < D1_QUEUE_PAIRS; ++number) work_queue(number);
  }

  // Writes one completion as it is, valid or not.
  void complete(unsigned queue, std::uint16_t id, Answer given = {}) {
    std::lock_guard lock(mutex_);
    place(queue, {id, given});
  }

  // A record in the log ring.
  void print(const std::string& text) {
    std::lock_guard lock(mutex_);
    const std::uint64_t size = registers_[D1_REG_LOG_BYTES];
    std::uint64_t& head = registers_[D1_REG_LOG_HEAD];
    const std::uint64_t step = sizeof(d1_log_record) + (text.size() + 7) / 8 * 8;
    std::uint64_t offset = head % size;
    if (offset + step > size) {
      const std::uint32_t skip = D1_LOG_SKIP;
      std::memcpy(translate(registers_[D1_REG_LOG_BASE] + offset, 4), &skip, sizeof skip);
      head += size - offset;
      offset = 0;
    }
    d1_log_record record{};
    record.bytes = static_cast<std::uint32_t>(text.size());
    char* place = translate(registers_[D1_REG_LOG_BASE] + offset, step);
    std::memcpy(place, &record, sizeof record);
    std::memcpy(place + sizeof record, text.data(), text.size());
    head += step;
  }

  // Host memory behind an I/O address; null where nothing is mapped.
  char* translate(std::uint64_t iova, std::uint64_t bytes) {
    auto next = map_.upper_bound(iova);
    if (next == map_.begin()) return nullptr;
    const auto& [start, memory] = *--next;
    if (iova - start > memory.bytes || bytes > memory.bytes - (iova - start)) return nullptr;
    return static_cast<char*>(memory.pointer) + (iova - start);
  }
  std::size_t maps() const { return map_.size(); }

 private:
  struct Queue {
    std::uint32_t submission_head = 0, submission_tail = 0;
    std::uint32_t completion_tail = 0, completion_head = 0;
    std::uint16_t phase = 1;
    std::deque<std::pair<std::uint16_t, Answer>> waiting;  // the completion ring was full
    std::vector<std::uint16_t> held;
  };

  std::uint64_t queue_register(unsigned number, unsigned which) {
    return registers_[D1_REG_QUEUE_BASE + D1_QUEUE_STRIDE * number + which];
  }

  void work_queue(unsigned number) {
    Queue& queue = queues_[number];
    if (queue_register(number, D1_QUEUE_ENABLE) != 1) return;
    while (!queue.waiting.empty() && room(number)) {
      const auto next = queue.waiting.front();
      queue.waiting.pop_front();
      place(number, next);
    }
    const auto entries = queue_register(number, D1_QUEUE_ENTRIES);
    while (queue.submission_head != queue.submission_tail && queue.waiting.empty()) {
      driver::CommandBytes command;
      std::memcpy(&command,
                  translate(queue_register(number, D1_QUEUE_SUBMISSION) +
                                queue.submission_head * sizeof command,
                            sizeof command),
                  sizeof command);
      queue.submission_head = static_cast<std::uint32_t>((queue.submission_head + 1) % entries);
      const auto header = std::bit_cast<d1_fence_view>(command).header;
      const auto given = answer(number, command);
      if (given) {
        place(number, {header.id, *given});
      } else {
        queue.held.push_back(header.id);
      }
      if (header.opcode == D1_COMMAND_ABORT && !ignores_aborts) {
        const auto abort = std::bit_cast<d1_abort>(command);
        if (std::erase(queues_[abort.queue].held, abort.command_id) > 0) {
          place(abort.queue,
                {static_cast<std::uint16_t>(abort.command_id), {D1_STATUS_ABORTED, 0}});
        }
      }
    }
  }

  struct d1_fence_view {
    d1_command_header header;
    std::uint64_t rest[7];
  };

  bool room(unsigned number) {
    const auto entries = queue_register(number, D1_QUEUE_ENTRIES);
    return (queues_[number].completion_tail + 1) % entries != queues_[number].completion_head;
  }

  void place(unsigned number, std::pair<std::uint16_t, Answer> what) {
    Queue& queue = queues_[number];
    if (!room(number)) {
      ++stalls;
      queue.waiting.push_back(what);
      return;
    }
    d1_completion completion{};
    completion.id = what.first;
    completion.status = what.second.status;
    completion.detail = what.second.detail;
    completion.head = static_cast<std::uint16_t>(queue.submission_head);
    completion.start_cycle = cycle_++;
    completion.end_cycle = cycle_;
    completion.phase = static_cast<std::uint16_t>(queue.phase ^ 1);
    auto* entry = reinterpret_cast<d1_completion*>(translate(
        queue_register(number, D1_QUEUE_COMPLETION) + queue.completion_tail * sizeof completion,
        sizeof completion));
    std::memcpy(entry, &completion, sizeof completion - sizeof completion.phase);
    std::atomic_ref(entry->phase).store(queue.phase, std::memory_order_release);
    queue.completion_tail = static_cast<std::uint32_t>((queue.completion_tail + 1) %
                                                       queue_register(number, D1_QUEUE_ENTRIES));
    if (queue.completion_tail == 0) queue.phase ^= 1;
    ++interrupts_[queue_register(number, D1_QUEUE_VECTOR)];
    raised_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable raised_;
  std::map<std::uint32_t, std::uint64_t> registers_;
  std::map<std::uint64_t, driver::DmaMemory> map_;
  std::array<Queue, D1_QUEUE_PAIRS> queues_{};
  std::array<std::atomic<std::uint64_t>, D1_MSIX_VECTORS> interrupts_{};
  std::uint64_t heartbeat_ = 0, cycle_ = 100;
};

}  // namespace d1::test
