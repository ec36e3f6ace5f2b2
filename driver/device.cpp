// SPDX-License-Identifier: Apache-2.0
#include <d1/driver/device.hpp>

#include <d1/abi/registers.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <thread>

namespace d1::driver {
namespace {

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};  // what a device that is not there reads as

}  // namespace

Result<std::unique_ptr<Device>> Device::open(const DeviceOptions& options) {
  TransportOptions below = options.transport_options;
  below.reply_timeout = std::min(below.reply_timeout, options.liveness_limit);
  auto transport = open_transport(options.transport, std::move(below));
  if (!transport) return std::unexpected(std::move(transport.error()));
  return open(std::move(*transport), options);
}

Result<std::unique_ptr<Device>> Device::open(std::unique_ptr<Transport> transport,
                                             const DeviceOptions& options) {
  std::unique_ptr<Device> device(new Device(std::move(transport), options));
  auto up = device->bring_up(options.ready_timeout);
  if (!up) return pass_on(up, fmt::format("opening {}", device->transport_->description()));
  return device;
}

Device::Device(std::unique_ptr<Transport> transport, const DeviceOptions& options)
    : transport_(std::move(transport)), liveness_limit_(options.liveness_limit) {}

Device::~Device() {
  log_.reset();
  retired_rings_.clear();
  dma_.reset();
}

Result<> Device::bring_up(std::chrono::milliseconds ready_timeout) {
  const std::uint64_t id = transport_->read_register64(D1_REG_ID);
  if (id == kAllOnes || transport_->lost()) {
    return fail(ErrorKind::DeviceLost, "The device does not answer: its registers read all ones.");
  }
  if (id >> 16 != D1_ID_MAGIC) {
    return fail(ErrorKind::Protocol,
                fmt::format("The device's ID register reads {:#x}; this is not a D1.", id));
  }
  if ((id & 0xffff) != D1_ABI_VERSION) {
    return fail(ErrorKind::Unsupported,
                fmt::format("The device speaks version {} of the contract and this driver version "
                            "{}; install a driver and a device of one release.",
                            id & 0xffff, D1_ABI_VERSION));
  }
  // One that gave up while somebody else had it works again after a reset.
  if (const std::uint64_t status = transport_->read_register64(D1_REG_STATUS);
      status != kAllOnes && (status & D1_STATUS_FATAL) != 0)
    transport_->write_register64(D1_REG_CONTROL, 0);
  transport_->write_register64(D1_REG_CONTROL, D1_CONTROL_ENABLE);
  const auto deadline = after(ready_timeout);
  for (;;) {
    const std::uint64_t status = transport_->read_register64(D1_REG_STATUS);
    if (status == kAllOnes)
      return fail(ErrorKind::DeviceLost, "The device vanished as it started.");
    if (status & D1_STATUS_FATAL) {
      return fail(
          ErrorKind::DeviceLost,
          fmt::format("The device reported a fatal error as it started (status {:#x}).", status));
    }
    if (status & D1_STATUS_READY) break;
    if (Clock::now() >= deadline) {
      return fail(ErrorKind::Timeout,
                  fmt::format("The device was enabled but not ready within {} ms (status {:#x}).",
                              ready_timeout.count(), status));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  const std::uint64_t queues = transport_->read_register64(D1_REG_QUEUES);
  const std::uint64_t dies = transport_->read_register64(D1_REG_DIES);
  const std::uint64_t mesh = transport_->read_register64(D1_REG_MESH);
  info_.description = transport_->description();
  info_.queue_pairs = static_cast<unsigned>(queues >> 32);
  info_.queue_entries = static_cast<std::uint32_t>(queues);
  info_.die_rows = static_cast<unsigned>(dies >> 32);
  info_.die_columns = static_cast<std::uint32_t>(dies);
  info_.node_rows = static_cast<unsigned>(mesh >> 32);
  info_.node_columns = static_cast<std::uint32_t>(mesh);
  info_.nodes = transport_->read_register64(D1_REG_NODES);
  info_.hbm_bytes = transport_->read_register64(D1_REG_HBM_BYTES);
  info_.clock_hz = transport_->read_register64(D1_REG_CLOCK_HZ);
  if (info_.queue_pairs == 0 || info_.queue_pairs > D1_QUEUE_PAIRS || info_.queue_entries < 2 ||
      info_.nodes == 0 || info_.clock_hz == 0) {
    return fail(ErrorKind::Protocol,
                fmt::format("The device describes itself impossibly: {} queues of {} entries, {} "
                            "nodes, {} Hz.",
                            info_.queue_pairs, info_.queue_entries, info_.nodes, info_.clock_hz));
  }
  heartbeat_ = transport_->read_register64(D1_REG_HEARTBEAT);
  last_check_ = Clock::now();

  dma_ = std::make_unique<DmaMap>(*transport_);
  auto ring = dma_->allocate(limits::kLogRingBytes, Warmth::OnDemand);
  if (!ring) return pass_on(ring, "making the log ring");
  log_ = std::make_unique<LogReader>(*transport_, std::move(*ring));
  return {};
}

Result<std::unique_ptr<QueuePair>> Device::create_queue_pair(std::uint32_t entries) {
  if (lost()) return std::unexpected(lost_error());
  if (!std::has_single_bit(entries) || entries < 2 || entries > info_.queue_entries) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("A queue of {} entries cannot be made; give a power of two from 2 to {}.",
                    entries, info_.queue_entries));
  }
  unsigned index = 0;
  {
    std::lock_guard lock(mutex_);
    while (index < info_.queue_pairs && queues_used_[index]) ++index;
    if (index == info_.queue_pairs) {
      return fail(ErrorKind::ResourceExhausted,
                  fmt::format("All {} queue pairs of the device are in use; close a stream first.",
                              info_.queue_pairs));
    }
    queues_used_[index] = true;
  }
  const std::uint64_t bytes = entries * (sizeof(CommandBytes) + sizeof(d1_completion));
  auto rings = dma_->allocate(bytes);
  if (!rings) {
    std::lock_guard lock(mutex_);
    queues_used_[index] = false;
    return pass_on(rings, "making a queue's rings");
  }
  std::unique_ptr<QueuePair> queue(new QueuePair(*this, index, entries, std::move(*rings)));
  auto enabled = queue->enable();
  if (!enabled) return std::unexpected(std::move(enabled.error()));
  return queue;
}

Error Device::lost_error() const {
  std::lock_guard lock(mutex_);
  return lost_error_.value_or(Error(ErrorKind::Internal, "The device is not lost."));
}

void Device::mark_lost(Error error) {
  std::lock_guard lock(mutex_);
  if (lost_error_) return;
  lost_error_ = std::move(error);
  lost_.store(true, std::memory_order_release);
}

void Device::check_alive() {
  if (lost()) return;
  if (transport_->lost()) {
    mark_lost(Error(ErrorKind::DeviceLost,
                    fmt::format("The connection to {} is gone.", info_.description)));
    return;
  }
  const auto now = Clock::now();
  if (now.time_since_epoch().count() < next_check_.load(std::memory_order_relaxed)) return;
  next_check_.store((now + limits::kLivenessPoll).time_since_epoch().count(),
                    std::memory_order_relaxed);
  const std::uint64_t status = transport_->read_register64(D1_REG_STATUS);
  const std::uint64_t heartbeat = transport_->read_register64(D1_REG_HEARTBEAT);
  if (status == kAllOnes || (status & D1_STATUS_FATAL)) {
    mark_lost(Error(ErrorKind::DeviceLost,
                    status == kAllOnes
                        ? "The device is gone: its registers read all ones."
                        : "The device reported a fatal error; open it anew to go on."));
    return;
  }
  std::unique_lock lock(mutex_);
  // Time in which nobody looked does not count: this process itself may have been stopped.
  const auto passed = std::min<Clock::duration>(now - last_check_, 4 * limits::kLivenessPoll);
  last_check_ = now;
  if (heartbeat != heartbeat_) {
    heartbeat_ = heartbeat;
    heartbeat_still_ = {};
    return;
  }
  heartbeat_still_ += passed;
  const auto still = std::chrono::duration_cast<std::chrono::milliseconds>(heartbeat_still_);
  if (still < liveness_limit_) return;
  lock.unlock();
  mark_lost(Error(ErrorKind::DeviceLost,
                  fmt::format("The device's heartbeat stood still for {} ms; the limit is {} ms.",
                              still.count(), liveness_limit_.count())));
}

Result<DeviceHealth> Device::health() const {
  if (lost()) return std::unexpected(lost_error());
  const std::uint64_t status = transport_->read_register64(D1_REG_STATUS);
  if (status == kAllOnes)
    return fail(ErrorKind::DeviceLost, "The device is gone: its registers read all ones.");
  return DeviceHealth{transport_->read_register64(D1_REG_CORRECTED),
                      transport_->read_register64(D1_REG_UNCORRECTED),
                      transport_->read_register64(D1_REG_RETRAINS),
                      (status & D1_STATUS_THROTTLED) != 0};
}

bool Device::halted_now() const {
  const std::uint64_t status = transport_->read_register64(D1_REG_STATUS);
  return status != kAllOnes && (status & D1_STATUS_HALTED) != 0;
}

std::chrono::milliseconds Device::halted() const {
  const std::uint64_t ms = lost() ? kAllOnes : transport_->read_register64(D1_REG_HALTED);
  return std::chrono::milliseconds(ms == kAllOnes ? 0 : ms);
}

void Device::forget(const QueuePair& queue) {
  std::lock_guard lock(mutex_);
  queues_used_[queue.index()] = false;
}

void Device::retire(DmaBuffer rings) {
  std::lock_guard lock(mutex_);
  retired_rings_.push_back(std::move(rings));
}

}  // namespace d1::driver
