// SPDX-License-Identifier: Apache-2.0
#include "rig/observing_transport.hpp"

#include <d1/base/thread.hpp>
#include <d1/driver/status_error.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstring>
#include <utility>

namespace d1::hil {
namespace {

// Drivers give out I/O addresses from 4 GiB on (limits::kFirstIova); these lie below.
constexpr std::uint64_t kRingsIova = 0x1000'0000;
constexpr std::uint64_t kRingBytes = std::uint64_t{D1_QUEUE_MAX_ENTRIES} * sizeof(d1_completion);
// Of completions that nobody asked for: what a driver that polls its ring has to wait at most.
constexpr std::chrono::milliseconds kMove{1};
// Of what comes without a command, or behind the last one's completion: interrupts.
constexpr std::chrono::milliseconds kIdleMove{10};

using Json = Traffic::Json;

std::string hex_of(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<driver::Transport>> ObservingTransport::open(
    std::shared_ptr<Traffic> traffic, driver::TransportOptions options) {
  options.machine = traffic->options().machine;  // the rig's
  options.address.clear();
  auto inner = driver::open_transport(traffic->target(), std::move(options));
  if (!inner) return std::unexpected(std::move(inner.error()));
  auto rings = SharedMemory::make(D1_QUEUE_PAIRS * kRingBytes);
  if (!rings) return std::unexpected(std::move(rings.error()));
  const driver::DmaMemory memory = rings->memory();
  if (auto mapped = (*inner)->dma_map(kRingsIova, memory, driver::DmaAccess::DeviceReadsAndWrites);
      !mapped)
    return pass_on(mapped, "mapping the rings of an observed device");
  std::unique_ptr<ObservingTransport> made(
      new ObservingTransport(std::move(traffic), std::move(*inner), std::move(*rings)));
  auto mover = start_thread("observing a device", [raw = made.get()](const std::stop_token& stop) {
    raw->keep_moving(stop);
  });
  if (!mover) return std::unexpected(std::move(mover.error()));
  made->mover_ = std::move(*mover);
  made->traffic_->add("open", {{"device", made->inner_->description()}});
  made->traffic_->attach(*made);
  return made;
}

ObservingTransport::ObservingTransport(std::shared_ptr<Traffic> traffic,
                                       std::unique_ptr<driver::Transport> inner,
                                       SharedMemory rings)
    : traffic_(std::move(traffic)), inner_(std::move(inner)), rings_(std::move(rings)) {}

ObservingTransport::~ObservingTransport() {
  mover_.request_stop();  // first: its actions may ask for this
  if (mover_.joinable()) mover_.join();
  traffic_->detach(*this);
  (void)inner_->dma_unmap(kRingsIova, rings_.memory().bytes);
  traffic_->add("close", Json::object());
}

std::uint64_t ObservingTransport::read_register64(std::uint32_t offset) {
  const std::uint32_t queue = (offset - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE;
  if (offset >= D1_REG_QUEUE_BASE && queue < D1_QUEUE_PAIRS &&
      offset % D1_QUEUE_STRIDE == D1_QUEUE_COMPLETION) {
    const std::lock_guard guard(mutex_);
    return queues_[queue].completion;
  }
  if (offset == D1_REG_STATUS && was_reset_.load()) return D1_STATUS_FATAL;
  return inner_->read_register64(offset);
}

void ObservingTransport::write_register64(std::uint32_t offset, std::uint64_t value) {
  traffic_->add("register", {{"offset", offset}, {"value", value}});
  const std::uint32_t queue = (offset - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE;
  if (offset >= D1_REG_QUEUE_BASE && queue < D1_QUEUE_PAIRS) {
    write_queue(queue, offset % D1_QUEUE_STRIDE, value);
    return;
  }
  if (offset == D1_REG_CONTROL && value == D1_CONTROL_ENABLE && traffic_->held()) {
    const std::lock_guard guard(mutex_);
    enable_wanted_ = true;
    return;
  }
  inner_->write_register64(offset, value);
}

void ObservingTransport::write_queue(unsigned index, unsigned reg, std::uint64_t value) {
  if (reg == D1_QUEUE_ENABLE) return enable_queue(index, value);
  {
    const std::lock_guard guard(mutex_);
    Queue& queue = queues_[index];
    switch (reg) {
      case D1_QUEUE_SUBMISSION: queue.submission = value; break;
      case D1_QUEUE_COMPLETION:
        queue.completion = value;
        // One that the device would refuse is refused.
        value = kRingsIova + index * kRingBytes + value % sizeof(d1_completion);
        break;
      case D1_QUEUE_ENTRIES: queue.entries = value; break;
      default: break;
    }
  }
  inner_->write_register64(D1_REG_QUEUE_BASE + index * D1_QUEUE_STRIDE + reg, value);
}

void ObservingTransport::enable_queue(unsigned index, std::uint64_t value) {
  const std::uint32_t reg = D1_REG_QUEUE_BASE + index * D1_QUEUE_STRIDE + D1_QUEUE_ENABLE;
  Queue& queue = queues_[index];
  if (value == 1) {  // both rings start at 0
    const std::lock_guard guard(mutex_);
    forget(queue);
    std::memset(own_ring(index), 0, kRingBytes);
  }
  inner_->write_register64(reg, value);
  // The device may refuse what it was given.
  const bool enabled = value == 1 && inner_->read_register64(reg) == 1;
  if (value != 1) move();  // what it still completed
  const std::lock_guard guard(mutex_);
  forget(queue);
  queue.enabled =
      enabled && std::has_single_bit(queue.entries) && queue.entries <= D1_QUEUE_MAX_ENTRIES;
}

// mutex_ is held.
void ObservingTransport::forget(Queue& queue) {
  waiting_ -= queue.in_flight.size();
  queue.in_flight.clear();
  queue.enabled = false;
  queue.submitted = queue.completed = 0;
  queue.phase = 1;
}

d1_completion* ObservingTransport::own_ring(unsigned queue) const noexcept {
  return reinterpret_cast<d1_completion*>(rings_.data() + queue * kRingBytes);
}

std::byte* ObservingTransport::memory_at(std::uint64_t iova, std::uint64_t bytes) const {
  auto after = maps_.upper_bound(iova);
  if (after == maps_.begin()) return nullptr;
  const auto& [begin, map] = *std::prev(after);
  const std::uint64_t offset = iova - begin;
  if (offset > map.bytes || bytes > map.bytes - offset) return nullptr;
  return map.pointer + offset;
}

Json ObservingTransport::told(const std::vector<IoRange>& ranges, Payload payload) const {
  const auto tell = [&](std::span<const std::byte> bytes) {
    return payload == Payload::Kept ? traffic_->kept(bytes) : Traffic::seen(bytes);
  };
  Json told = Json::array();
  for (const IoRange& range : ranges) {
    const auto extent = range.extent();
    const std::byte* memory = extent ? memory_at(range.iova, *extent) : nullptr;
    if (memory == nullptr) continue;  // a command that will fail
    const bool pieces = range.rows > 1;
    Json about = pieces ? tell(gather(memory, range)) : tell({memory, range.row_bytes});
    about["iova"] = range.iova;
    if (pieces) about.update(Json{{"rows", range.rows}, {"pitch", range.pitch}});
    told.push_back(std::move(about));
  }
  return told;
}

void ObservingTransport::ring_doorbell32(std::uint32_t offset, std::uint32_t value) {
  const std::uint32_t bell = (offset - D1_REG_DOORBELL_BASE) / 4;
  const bool submission = bell < 2 * D1_QUEUE_PAIRS && bell % 2 == 0;
  std::vector<Passed> passed;
  {
    const std::lock_guard guard(mutex_);
    if (submission) tell_commands(bell / 2, value, passed);
  }
  if (submission) traffic_->add("doorbell", {{"queue", bell / 2}, {"tail", value}});
  inner_->ring_doorbell32(offset, value);
  work_.notify_all();
  tell(passed);
}

// The commands up to the new tail, with what the device will read of the host's memory for them.
void ObservingTransport::tell_commands(unsigned index, std::uint32_t tail,
                                       std::vector<Passed>& passed) {
  Queue& queue = queues_[index];
  if (!queue.enabled || tail >= queue.entries) return;
  while (queue.submitted != tail) {
    driver::CommandBytes command;
    const std::byte* entry =
        memory_at(queue.submission + queue.submitted * sizeof command, sizeof command);
    if (entry == nullptr) return;
    std::memcpy(command.bytes, entry, sizeof command);
    queue.submitted = static_cast<std::uint32_t>((queue.submitted + 1) & (queue.entries - 1));
    Json data = told(read_by(command), Payload::Kept);
    d1_command_header header;
    std::memcpy(&header, command.bytes, sizeof header);
    traffic_->add("command", {{"queue", index},
                              {"id", header.id},
                              {"name", driver::command_name(header.opcode)},
                              {"bytes", hex_of(command.bytes)},
                              {"data", std::move(data)}});
    queue.in_flight[header.id] = command;
    ++waiting_;
    passed.push_back({EventKind::Command, header.opcode});
  }
}

void ObservingTransport::move_completions(std::vector<Passed>& passed) {
  for (unsigned index = 0; index < queues_.size(); ++index) {
    Queue& queue = queues_[index];
    while (queue.enabled) {
      d1_completion& entry = own_ring(index)[queue.completed];
      // Pairs with the device's release of the phase, which it writes last.
      if (std::atomic_ref(entry.phase).load(std::memory_order_acquire) != queue.phase) break;
      move_completion(index, entry, passed);
      queue.completed = static_cast<std::uint32_t>((queue.completed + 1) & (queue.entries - 1));
      if (queue.completed == 0) queue.phase ^= 1;
    }
  }
  for (unsigned vector = 0; vector < interrupts_.size(); ++vector) {
    const std::uint64_t count = inner_->interrupt_count(vector);
    if (count == interrupts_[vector]) continue;
    traffic_->add("interrupt", {{"vector", vector}, {"count", count}});
    for (; interrupts_[vector] != count; ++interrupts_[vector])
      passed.push_back({EventKind::Interrupt, vector});
  }
}

void ObservingTransport::move_completion(unsigned index, const d1_completion& entry,
                                         std::vector<Passed>& passed) {
  Queue& queue = queues_[index];
  Json data = Json::array();
  unsigned opcode = 0;
  if (const auto found = queue.in_flight.find(entry.id); found != queue.in_flight.end()) {
    driver::Completion completion;
    completion.status = entry.status;
    completion.detail = entry.detail;
    opcode = found->second.bytes[0];
    data = told(written_by(found->second, completion), Payload::Seen);
    queue.in_flight.erase(found);
    --waiting_;
  }
  traffic_->add("completion", {{"queue", index},
                               {"id", entry.id},
                               {"status", entry.status},
                               {"detail", entry.detail},
                               {"start_cycle", entry.start_cycle},
                               {"end_cycle", entry.end_cycle},
                               {"data", std::move(data)}});
  passed.push_back({EventKind::Completion, opcode});
  std::byte* place = memory_at(queue.completion + queue.completed * sizeof entry, sizeof entry);
  if (place == nullptr) return;
  std::memcpy(place, &entry, offsetof(d1_completion, phase));
  // The driver sees the phase last: pairs with its acquire.
  std::atomic_ref(*reinterpret_cast<std::uint16_t*>(place + offsetof(d1_completion, phase)))
      .store(queue.phase, std::memory_order_release);
}

void ObservingTransport::move() {
  std::vector<Passed> passed;
  {
    const std::lock_guard guard(mutex_);
    move_completions(passed);
  }
  tell(passed);
}

void ObservingTransport::tell(const std::vector<Passed>& passed) {
  for (const Passed& one : passed) traffic_->passed(one.kind, one.which);
}

void ObservingTransport::keep_moving(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    move();
    std::unique_lock guard(mutex_);
    if (waiting_ == 0) work_.wait_for(guard, stop, kIdleMove, [this] { return waiting_ != 0; });
    else work_.wait_for(guard, stop, kMove, [] { return false; });
  }
}

Result<> ObservingTransport::dma_map(std::uint64_t iova, const driver::DmaMemory& memory,
                                     driver::DmaAccess access) {
  auto done = inner_->dma_map(iova, memory, access);
  if (!done) return done;
  const bool writes = access == driver::DmaAccess::DeviceReadsAndWrites;
  traffic_->add("map", {{"iova", iova}, {"bytes", memory.bytes}, {"writes", writes}});
  const std::lock_guard guard(mutex_);
  maps_[iova] = {static_cast<std::byte*>(memory.pointer), memory.bytes};
  return done;
}

Result<> ObservingTransport::dma_unmap(std::uint64_t iova, std::uint64_t bytes) {
  move();
  auto done = inner_->dma_unmap(iova, bytes);
  traffic_->add("unmap", {{"iova", iova}, {"bytes", bytes}});
  const std::lock_guard guard(mutex_);
  maps_.erase(iova);
  return done;
}

Result<> ObservingTransport::read_aperture(std::uint64_t address, void* data,
                                           std::uint64_t bytes) {
  auto done = inner_->read_aperture(address, data, bytes);
  if (done) {
    Json about = Traffic::seen({static_cast<const std::byte*>(data), bytes});
    about["address"] = address;
    traffic_->add("peek", std::move(about));
  }
  return done;
}

Result<> ObservingTransport::write_aperture(std::uint64_t address, const void* data,
                                            std::uint64_t bytes) {
  Json about = traffic_->kept({static_cast<const std::byte*>(data), bytes});
  about["address"] = address;
  traffic_->add("poke", std::move(about));
  return inner_->write_aperture(address, data, bytes);
}

std::uint64_t ObservingTransport::interrupt_count(unsigned vector) const noexcept {
  const std::uint64_t count = inner_->interrupt_count(vector);
  // What was completed before this count is in the driver's ring when it looks there.
  const_cast<ObservingTransport*>(this)->move();
  return count;
}

void ObservingTransport::wait_for_interrupt(unsigned vector, std::uint64_t seen,
                                            driver::Deadline deadline) {
  inner_->wait_for_interrupt(vector, seen, deadline);
  move();
}

void ObservingTransport::hold_in_reset() {
  was_reset_.store(true);
  {
    const std::lock_guard guard(mutex_);
    enable_wanted_ = false;
    for (Queue& queue : queues_) forget(queue);  // lost to the driver, not cancelled
    traffic_->add("reset", Json::object());
  }
  inner_->write_register64(D1_REG_CONTROL, 0);
}

void ObservingTransport::release() {
  bool enable = false;
  {
    const std::lock_guard guard(mutex_);
    enable = std::exchange(enable_wanted_, false);
  }
  if (enable) inner_->write_register64(D1_REG_CONTROL, D1_CONTROL_ENABLE);
}

namespace {

struct Observed {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Traffic>> by_id;
  unsigned next = 1;
};

Observed& observed() {
  static Observed instance;
  return instance;
}

Result<std::unique_ptr<driver::Transport>> open_observed(const driver::TransportOptions& options) {
  std::shared_ptr<Traffic> traffic;
  {
    Observed& all = observed();
    const std::lock_guard guard(all.mutex);
    if (const auto found = all.by_id.find(options.address); found != all.by_id.end())
      traffic = found->second.lock();
  }
  if (traffic == nullptr)
    return fail(ErrorKind::Invalid, "There is no rig '" + options.address +
                                        "' any more; open devices by Rig::open() while it lives.");
  return ObservingTransport::open(std::move(traffic), options);
}

}  // namespace

std::string observe(const std::shared_ptr<Traffic>& traffic) {
  static const bool registered = driver::register_transport("hil", open_observed).has_value();
  (void)registered;
  Observed& all = observed();
  const std::lock_guard guard(all.mutex);
  std::erase_if(all.by_id, [](const auto& entry) { return entry.second.expired(); });
  std::string id = std::to_string(all.next++);
  all.by_id[id] = traffic;
  return id;
}

}  // namespace d1::hil
