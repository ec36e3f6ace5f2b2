// SPDX-License-Identifier: Apache-2.0
// A submission and a completion ring in one piece of DMA memory, and the promise that each accepted
// command completes exactly once: with the device's status, cancelled, or as device lost.
//
// Ownership: a QueuePair owns its rings and must not outlive the Device it came from. What a
// completion function points to must live until it was called.
// Threads: post, ring, reap and wait may be called from any thread. Completion functions run on
// whichever thread reaps, one at a time per queue, in the order of the completion ring; they may
// post to any queue but must not reap, wait on, or close this one.
// Blocking: only wait() waits, never past its deadline; the device may run on the waiting thread.
#pragma once

#include <d1/abi/commands.h>
#include <d1/abi/registers.h>
#include <d1/base/error.hpp>
#include <d1/driver/dma.hpp>

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace d1::driver {

class Device;

enum class CompletionKind : std::uint8_t {
  Device,     // the device answered: see status
  Cancelled,  // the queue was closed first
  DeviceLost
};

struct Completion {
  CompletionKind kind = CompletionKind::Device;
  std::uint8_t opcode = 0;
  std::uint16_t id = 0;
  std::uint16_t status = D1_STATUS_OK;
  std::uint64_t detail = 0;
  std::uint64_t start_cycle = 0, end_cycle = 0;

  [[nodiscard]] bool ok() const noexcept {
    return kind == CompletionKind::Device && status == D1_STATUS_OK;
  }
};

using CompletionFunction = void (*)(void* context, const Completion& completion);

// Any of the 64-byte commands of d1/abi/commands.h.
struct alignas(8) CommandBytes {
  std::uint8_t bytes[64];
};

template <typename Command>
[[nodiscard]] CommandBytes to_bytes(const Command& command) noexcept {
  static_assert(sizeof(Command) == sizeof(CommandBytes));
  return std::bit_cast<CommandBytes>(command);
}

class QueuePair {
 public:
  QueuePair(const QueuePair&) = delete;
  QueuePair& operator=(const QueuePair&) = delete;
  // Closes: what is still in flight completes as cancelled.
  ~QueuePair();

  // Puts a command into the ring and does not tell the device. The id is filled in and returned.
  // A full queue is ResourceExhausted, at once; nothing was accepted then.
  [[nodiscard]] Result<std::uint16_t> post(const CommandBytes& command, CompletionFunction function,
                                           void* context);
  // Tells the device of everything posted so far.
  void ring();

  // Calls the completion function of every command that has completed; returns how many. If the
  // device is lost, everything in flight completes so.
  unsigned reap();

  // Reaps, and lets the device work, until `done()`. False: the deadline came first.
  template <typename Done>
  [[nodiscard]] bool wait(Done&& done, Deadline deadline) {
    for (;;) {
      const std::uint64_t seen = interrupts();
      reap();
      if (done()) return true;
      if (!wait_step(seen, deadline)) return false;
    }
  }

  // Disables the queue; everything in flight completes as cancelled. Waits at most
  // limits::kQueueDisableTimeout for the device to agree; if it does not, the rings are retired.
  void close();

  [[nodiscard]] unsigned index() const noexcept { return index_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return entries_ - 1; }
  [[nodiscard]] std::uint32_t in_flight() const;

 private:
  friend class Device;
  struct Slot {
    CompletionFunction function = nullptr;
    void* context = nullptr;
    std::uint8_t opcode = 0;
    std::uint8_t generation = 0;  // upper bits of the id: an old completion is recognised
    bool in_flight = false;
  };

  QueuePair(Device& device, unsigned index, std::uint32_t entries, DmaBuffer rings);
  [[nodiscard]] Result<> enable();
  [[nodiscard]] std::uint64_t interrupts() const noexcept;
  // True: look again. Waits for an interrupt, at most until the deadline; watches over the device.
  [[nodiscard]] bool wait_step(std::uint64_t seen, Deadline deadline);
  void fail_all(CompletionKind kind);
  unsigned reap_ring();
  [[nodiscard]] std::uint32_t register_offset(unsigned queue_register) const noexcept;

  Device& device_;
  const unsigned index_;
  const std::uint32_t entries_;  // a power of two
  DmaBuffer rings_;
  CommandBytes* const submissions_;
  d1_completion* const completions_;

  // Taken inside reap_mutex_, never around it.
  mutable std::mutex post_mutex_;
  std::vector<Slot> slots_;
  std::vector<std::uint16_t> free_slots_;
  std::uint32_t tail_ = 0;            // of the submission ring
  std::uint32_t rung_ = 0;            // tail the device knows
  std::uint32_t unacknowledged_ = 0;  // completions reaped since the head doorbell was rung
  std::uint32_t acknowledged_head_ = 0;
  bool closed_ = false;

  std::mutex reap_mutex_;
  std::uint32_t head_ = 0;  // of the completion ring
  std::uint16_t phase_ = 1;
};

}  // namespace d1::driver
