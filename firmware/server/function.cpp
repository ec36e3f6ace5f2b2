// SPDX-License-Identifier: Apache-2.0
#include "function.hpp"

#include <d1/abi/registers.h>
#include <d1/base/thread.hpp>
#include <d1/vfio_user/event.hpp>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "daemon_faults.hpp"

namespace d1::server {
namespace {

using Clock = std::chrono::steady_clock;

// A user who writes doorbells into mapped memory and raises no event is still heard: so often while
// the function was in use lately, then more rarely.
constexpr std::chrono::milliseconds kLookLately{1}, kLookIdle{20};
constexpr std::chrono::seconds kLately{1};

std::uint64_t bar_size(std::uint64_t bytes) {
  return std::bit_ceil(std::max<std::uint64_t>(bytes, D1_BAR_PAGE));
}

}  // namespace

Result<std::unique_ptr<Function>> Function::create(FunctionOptions options) {
  options.device.keeper = emulator::Keeper::Caller;
  options.device.shared_memory = true;
  options.device.daemon_faults = emulator::DaemonFaults::ToldToHandler;
  // The device is made first, but nothing runs it, nor tells anything, before this is set.
  auto owner = std::make_shared<Function*>(nullptr);
  options.device.fault_handler = [owner](const emulator::FaultEvent& event) {
    if (*owner != nullptr) (*owner)->told(event);
  };
  auto device = emulator::Device::create(options.device);
  if (!device) return std::unexpected(std::move(device.error()));
  auto kick = vfio_user::make_event("the doorbells of a DPU");
  if (!kick) return std::unexpected(std::move(kick.error()));
  std::unique_ptr<Function> function(
      new Function(std::move(*device), options, std::move(*kick)));
  *owner = function.get();
  auto thread =
      start_thread("running a DPU", [raw = function.get()](const std::stop_token& stop) {
        raw->keep_running(stop);
      });
  if (!thread) return std::unexpected(std::move(thread.error()));
  function->thread_ = std::move(*thread);
  return function;
}

Function::Function(std::unique_ptr<emulator::Device> device, const FunctionOptions& options,
                   vfio_user::Descriptor kick_event)
    : device_(std::move(device)),
      memory_(device_->memory()),
      poll_(options.poll),
      config_({D1_BAR0_BYTES, bar_size(memory_.sram.bytes), bar_size(memory_.hbm.bytes)}),
      kick_event_(std::move(kick_event)) {
  device_->set_interrupt_handler([this](unsigned vector) { raise(vector); });
  device_->beat();
}

Function::~Function() {
  thread_.request_stop();
  wake();
}

std::atomic<std::uint64_t>& Function::word(std::uint32_t offset) const noexcept {
  return *reinterpret_cast<std::atomic<std::uint64_t>*>(memory_.bar0.data + offset);
}

std::atomic<std::uint32_t>& Function::doorbell(unsigned bell) const noexcept {
  return *reinterpret_cast<std::atomic<std::uint32_t>*>(memory_.bar0.data + D1_REG_DOORBELL_BASE +
                                                        4 * bell);
}

void Function::wake() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(kick_event_.get(), &one, sizeof one);
}

// With the device's lock held, after the completion was written.
void Function::raise(unsigned vector) {
  raised_.fetch_add(1, std::memory_order_relaxed);
  word(D1_REG_LIVE_RAISED + 8 * vector).fetch_add(1, std::memory_order_seq_cst);
  // The user arms a vector before it looks at the count for the last time (both seq_cst), so it
  // sees the count, or is seen here.
  if (word(D1_REG_DOORBELL_ARMING).load(std::memory_order_relaxed) != 0 &&
      word(D1_REG_DOORBELL_ARM + 8 * vector).exchange(0, std::memory_order_seq_cst) == 0)
    return;
  interrupts_.raise(VFIO_PCI_MSIX_IRQ_INDEX, vector);
}

// With the device's lock held.
void Function::told(const emulator::FaultEvent& event) {
  spdlog::warn("{}", event.text);
  if (event.phase != emulator::FaultEvent::Begins) return;
  if (event.kind == emulator::FaultKind::SurpriseRemoval)
    interrupts_.raise(VFIO_PCI_ERR_IRQ_INDEX, 0);
  meet_daemon_fault(event);
}

// Doorbells that changed in memory since the last look are rung.
bool Function::take_doorbells() noexcept {
  const std::lock_guard guard(bell_mutex_);
  bool any = false;
  for (unsigned bell = 0; bell < kBells; ++bell) {
    // Pairs with the user's release: the commands are written by then.
    const std::uint32_t value = doorbell(bell).load(std::memory_order_acquire);
    if (value == bells_seen_[bell]) continue;
    bells_seen_[bell] = value;
    device_->ring_doorbell(D1_REG_DOORBELL_BASE + 4 * bell, value);
    doorbells_rung_.fetch_add(1, std::memory_order_relaxed);
    any = true;
  }
  return any;
}

void Function::forget_doorbells(unsigned first, unsigned count) noexcept {
  const std::lock_guard guard(bell_mutex_);
  for (unsigned bell = first; bell < first + count; ++bell) {
    doorbell(bell).store(0, std::memory_order_relaxed);
    bells_seen_[bell] = 0;
  }
}

void Function::keep_running(const std::stop_token& stop) {
  auto& polled = word(D1_REG_LIVE_POLLED);
  polled.store(1, std::memory_order_seq_cst);
  auto last_work = Clock::now();
  while (!stop.stop_requested()) {
    (void)device_->run_until_idle([&] {
      if (take_doorbells()) last_work = Clock::now();
      return stop.stop_requested();
    });
    const auto until = Clock::now() + poll_;
    bool rung = false;
    while (!(rung = take_doorbells()) && Clock::now() < until) std::this_thread::yield();
    if (rung) continue;
    polled.store(0, std::memory_order_seq_cst);
    // The user writes a doorbell before it looks at `polled` (both seq_cst), so it raises the
    // event, or is seen here.
    if (!take_doorbells()) {
      const auto look = Clock::now() - last_work < kLately ? kLookLately : kLookIdle;
      pollfd entry{kick_event_.get(), POLLIN, 0};
      std::uint64_t count;
      if (::poll(&entry, 1, static_cast<int>(look.count())) > 0)
        (void)!::read(kick_event_.get(), &count, sizeof count);
    }
    polled.store(1, std::memory_order_seq_cst);
  }
}

Region Function::region(std::uint32_t index) const {
  constexpr std::uint32_t kBoth = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
  constexpr std::uint32_t kMapped = kBoth | VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
  switch (index) {
    case VFIO_PCI_BAR0_REGION_INDEX:
      return {D1_BAR0_BYTES, kMapped, memory_.bar0.file,
              {{D1_REG_DOORBELL_BASE, D1_BAR_PAGE}, {D1_REG_LIVE_BASE, D1_BAR_PAGE}}};
    case VFIO_PCI_BAR2_REGION_INDEX:
      return {bar_size(memory_.sram.bytes), kMapped, memory_.sram.file, {{0, memory_.sram.bytes}}};
    case VFIO_PCI_BAR4_REGION_INDEX:
      return {bar_size(memory_.hbm.bytes), kMapped, memory_.hbm.file, {{0, memory_.hbm.bytes}}};
    case VFIO_PCI_CONFIG_REGION_INDEX: return {PciConfig::kBytes, kBoth, -1, {}};
    default: return {};
  }
}

std::span<std::uint8_t> Function::memory_bar(std::uint32_t index) const noexcept {
  const auto& part = index == VFIO_PCI_BAR2_REGION_INDEX ? memory_.sram : memory_.hbm;
  return {part.data, part.bytes};
}

int Function::read(std::uint32_t index, std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::uint64_t size = region(index).bytes;
  if (offset > size || data.size() > size - offset) return EINVAL;
  if (data.empty()) return 0;
  switch (index) {
    case VFIO_PCI_BAR0_REGION_INDEX: return read_bar0(offset, data);
    case VFIO_PCI_CONFIG_REGION_INDEX: {
      const std::lock_guard guard(config_mutex_);
      config_.read(static_cast<std::uint32_t>(offset), data);
      return 0;
    }
    default: break;
  }
  // What lies behind the memory in its BAR reads as all ones, as on a bus.
  const std::span<std::uint8_t> memory = memory_bar(index);
  const std::size_t there = offset < memory.size() ? std::min(data.size(), memory.size() - offset)
                                                   : 0;
  std::memcpy(data.data(), memory.data() + (there == 0 ? 0 : offset), there);
  std::memset(data.data() + there, 0xff, data.size() - there);
  return 0;
}

int Function::write(std::uint32_t index, std::uint64_t offset,
                    std::span<const std::uint8_t> data) {
  const std::uint64_t size = region(index).bytes;
  if (offset > size || data.size() > size - offset) return EINVAL;
  if (data.empty()) return 0;
  switch (index) {
    case VFIO_PCI_BAR0_REGION_INDEX: return write_bar0(offset, data);
    case VFIO_PCI_CONFIG_REGION_INDEX: {
      std::unique_lock guard(config_mutex_);
      const auto asked = config_.write(static_cast<std::uint32_t>(offset), data);
      guard.unlock();
      if (asked == PciConfig::Asked::Reset) reset();
      return 0;
    }
    default: break;
  }
  const std::span<std::uint8_t> memory = memory_bar(index);
  if (offset < memory.size())
    std::memcpy(memory.data() + offset, data.data(),
                std::min(data.size(), memory.size() - offset));
  return 0;
}

int Function::read_bar0(std::uint64_t offset, std::span<std::uint8_t> data) {
  const auto at = static_cast<std::uint32_t>(offset);
  if (at >= D1_REG_DOORBELL_BASE) {  // memory, whatever the access; pending bits are made here
    if (at / D1_BAR_PAGE == D1_REG_MSIX_PENDING / D1_BAR_PAGE)
      word(D1_REG_MSIX_PENDING).store(interrupts_.pending());
    copy_words(data, at);
    return 0;
  }
  if (data.size() != 8 || at % 8 != 0) return EINVAL;
  const std::uint64_t value = device_->read_register(at);
  std::memcpy(data.data(), &value, sizeof value);
  return 0;
}

int Function::write_bar0(std::uint64_t offset, std::span<const std::uint8_t> data) {
  const auto at = static_cast<std::uint32_t>(offset);
  if (at >= D1_REG_LIVE_BASE) {
    const bool table = at / D1_BAR_PAGE == D1_REG_MSIX_TABLE / D1_BAR_PAGE;
    if (table && data.size() <= D1_BAR_PAGE - at % D1_BAR_PAGE)
      std::memcpy(memory_.bar0.data + at, data.data(), data.size());
    return 0;  // the live page and the pending bits take writes without effect
  }
  if (at >= D1_REG_DOORBELL_BASE) {
    if (data.size() == 4 && at % 4 == 0) {
      std::uint32_t value;
      std::memcpy(&value, data.data(), sizeof value);
      doorbell((at - D1_REG_DOORBELL_BASE) / 4).store(value, std::memory_order_seq_cst);
    } else if (data.size() == 8 && at % 8 == 0) {
      std::uint64_t value;
      std::memcpy(&value, data.data(), sizeof value);
      word(at).store(value, std::memory_order_seq_cst);
    } else {
      return EINVAL;
    }
    wake();
    return 0;
  }
  if (data.size() != 8 || at % 8 != 0) return EINVAL;
  std::uint64_t value;
  std::memcpy(&value, data.data(), sizeof value);
  if (at == D1_REG_KICK) {
    wake();
    return 0;
  }
  const std::uint32_t queue = (at - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE;
  // Both rings start at 0 again, and so do their doorbells.
  if (at >= D1_REG_QUEUE_BASE && queue < D1_QUEUE_PAIRS && at % D1_QUEUE_STRIDE == D1_QUEUE_ENABLE)
    forget_doorbells(2 * queue, 2);
  device_->write_register(at, value);
  wake();  // there may be work in it
  return 0;
}

std::vector<QueueDepth> Function::queues() const {
  std::vector<QueueDepth> queues;
  for (unsigned index = 0; index < D1_QUEUE_PAIRS; ++index) {
    const std::uint32_t base = D1_REG_QUEUE_BASE + index * D1_QUEUE_STRIDE;
    if (device_->read_register(base + D1_QUEUE_ENABLE) == 0) continue;
    const std::uint64_t entries = device_->read_register(base + D1_QUEUE_ENTRIES);
    const std::uint64_t head = device_->read_register(base + D1_QUEUE_HEAD);
    const std::uint64_t tail = doorbell(2 * index).load(std::memory_order_relaxed);
    queues.push_back({index, entries, (tail - head) & (entries - 1)});
  }
  return queues;
}

// Bytes of BAR0 that other threads change as whole words.
void Function::copy_words(std::span<std::uint8_t> to, std::uint32_t from) const noexcept {
  for (std::size_t done = 0; done < to.size();) {
    const std::size_t within = (from + done) % 8, piece = std::min(8 - within, to.size() - done);
    const std::uint64_t value = word(static_cast<std::uint32_t>(from + done - within)).load();
    std::memcpy(to.data() + done, reinterpret_cast<const std::uint8_t*>(&value) + within, piece);
    done += piece;
  }
}

// As nobody has rung or armed anything.
void Function::clear_doorbells() noexcept {
  forget_doorbells(0, kBells);
  for (std::uint32_t at = 0; at < D1_BAR_PAGE; at += 8) word(D1_REG_DOORBELL_BASE + at).store(0);
}

void Function::release() {
  interrupts_.release();
  clear_doorbells();
  device_->detach();
}

void Function::reset() {
  device_->write_register(D1_REG_CONTROL, 0);
  const std::lock_guard guard(config_mutex_);
  config_.reset();
  clear_doorbells();
}

}  // namespace d1::server
