// SPDX-License-Identifier: Apache-2.0
// One PCI function as the host sees it: bring-up, what it is, its queues, its memory, its life.
//
// Ownership: a Device owns its transport, DMA map and log ring; queue pairs and buffers made from
// it must die before it. Threads: every member may be called from any thread.
// Blocking: open() waits at most limits::kReadyTimeout, nothing else waits.
//
// Loss: a device is lost once and for good, when its transport says so, its status register reads
// fatal, its heartbeat stands still for the liveness limit, or it breaks the contract. Everything
// in flight then completes as device lost, and every later call fails with the same error.
#pragma once

#include <d1/driver/dma.hpp>
#include <d1/driver/log_reader.hpp>
#include <d1/driver/queue_pair.hpp>
#include <d1/driver/transport.hpp>

#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace d1::driver {

struct DeviceInfo {
  std::string description;  // of the transport
  unsigned die_rows = 0, die_columns = 0;
  unsigned node_rows = 0, node_columns = 0;  // of a die's mesh, missing nodes included
  std::uint64_t nodes = 0;                   // usable
  std::uint64_t hbm_bytes = 0;
  std::uint64_t clock_hz = 0;
  unsigned queue_pairs = 0;
  std::uint32_t queue_entries = 0;  // most a queue may have
};

// What the device tells of its own condition, counted since power-on.
struct DeviceHealth {
  std::uint64_t corrected_errors = 0, uncorrected_errors = 0;  // of SRAM and HBM
  std::uint64_t link_retrains = 0;
  bool throttled = false;  // nodes run slower than the clock says, now
};

struct DeviceOptions {
  std::string transport = "in-process";
  TransportOptions transport_options;
  std::chrono::milliseconds ready_timeout = limits::kReadyTimeout;
  std::chrono::milliseconds liveness_limit = limits::kLivenessLimit;
};

class Device {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Device>> open(const DeviceOptions& options);
  // The same over a transport made elsewhere.
  [[nodiscard]] static Result<std::unique_ptr<Device>> open(std::unique_ptr<Transport> transport,
                                                            const DeviceOptions& options);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  [[nodiscard]] const DeviceInfo& info() const noexcept { return info_; }
  [[nodiscard]] Transport& transport() noexcept { return *transport_; }
  [[nodiscard]] DmaMap& dma() noexcept { return *dma_; }
  [[nodiscard]] LogReader& log() noexcept { return *log_; }
  [[nodiscard]] std::uint64_t cycle() const { return transport_->read_register64(D1_REG_CYCLE); }
  // For how long tools have halted the machine, since power-on. A lost device: 0.
  [[nodiscard]] std::chrono::milliseconds halted() const;
  // Whether one does so now.
  [[nodiscard]] bool halted_now() const;
  // A lost device: its error.
  [[nodiscard]] Result<DeviceHealth> health() const;

  // entries: a power of two, 2 to info().queue_entries. All queues in use: ResourceExhausted.
  [[nodiscard]] Result<std::unique_ptr<QueuePair>> create_queue_pair(
      std::uint32_t entries = limits::kQueueEntries);

  [[nodiscard]] bool lost() const noexcept { return lost_.load(std::memory_order_acquire); }
  // Meaningful once lost() is true.
  [[nodiscard]] Error lost_error() const;
  // Looks at the transport, at most every limits::kLivenessPoll at status and heartbeat.
  void check_alive();
  // The first call decides the error. Does not complete anything: each queue does at its next reap.
  void mark_lost(Error error);

 private:
  friend class QueuePair;
  Device(std::unique_ptr<Transport> transport, const DeviceOptions& options);
  [[nodiscard]] Result<> bring_up(std::chrono::milliseconds ready_timeout);
  void forget(const QueuePair& queue);
  void retire(DmaBuffer rings);

  std::unique_ptr<Transport> transport_;
  DeviceInfo info_;
  const std::chrono::milliseconds liveness_limit_;
  std::unique_ptr<DmaMap> dma_;
  std::unique_ptr<LogReader> log_;

  std::atomic<bool> lost_ = false;
  mutable std::mutex mutex_;
  std::optional<Error> lost_error_;
  std::bitset<D1_QUEUE_PAIRS> queues_used_;
  std::vector<DmaBuffer> retired_rings_;
  std::uint64_t heartbeat_ = 0;
  Clock::duration heartbeat_still_{};
  Clock::time_point last_check_;
  std::atomic<Clock::rep> next_check_ = 0;
};

}  // namespace d1::driver
