// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <atomic>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>

#include <d1/base/thread.hpp>

#include "device_implementation.hpp"

namespace d1::emulator {

using Clock = std::chrono::steady_clock;

namespace {

// While the device was in use lately its own thread looks for forgotten work at this interval; a
// doorbell then need not wake anybody. A wake across cores costs about 60 us.
constexpr auto kNap = std::chrono::microseconds(200);
constexpr auto kLately = std::chrono::milliseconds(50);
constexpr auto kIdleWait = std::chrono::microseconds(200);  // of a host thread with nothing to do
// Between looks at the clock: quanta, or one in which so many nodes ran.
constexpr unsigned kClockInterval = 16, kClockNodes = 16;

// Counted for as long as it lives, however its scope is left.
class Counted {
 public:
  explicit Counted(std::atomic<unsigned>& count) : count_(count) { count_.fetch_add(1); }
  ~Counted() { count_.fetch_sub(1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<unsigned>& count_;
};

}  // namespace

std::uint64_t Device::Implementation::read_register(std::uint32_t offset) {
  if (faults_.gone()) return ~std::uint64_t{0};
  const MachineDescription& machine = description();
  switch (offset) {
    case D1_REG_ID: return std::uint64_t{D1_ID_MAGIC} << 16 | D1_ABI_VERSION;
    case D1_REG_QUEUES: return std::uint64_t{D1_QUEUE_PAIRS} << 32 | D1_QUEUE_MAX_ENTRIES;
    case D1_REG_CONTROL: return ready_.load() ? D1_CONTROL_ENABLE : 0;
    case D1_REG_STATUS: return live_.at(D1_REG_STATUS).load();
    case D1_REG_DIES: return std::uint64_t{machine.grid_rows} << 32 | machine.grid_columns;
    case D1_REG_MESH: return std::uint64_t{machine.die_rows} << 32 | machine.die_columns;
    case D1_REG_NODES: return machine.usable_nodes();
    case D1_REG_HBM_BYTES: return machine_.hbm_bytes();
    case D1_REG_CLOCK_HZ: return machine.clock_hz;
    case D1_REG_CYCLE: return live_.at(D1_REG_CYCLE).load(std::memory_order_relaxed);
    case D1_REG_HEARTBEAT:
    case D1_REG_LIVE_BASE + D1_REG_HEARTBEAT: return heartbeat();
    case D1_REG_LOG_BASE: return log_base_.load();
    case D1_REG_LOG_BYTES: return log_bytes_.load();
    case D1_REG_LOG_TAIL: return dip_.log().tail();
    case D1_REG_LOG_HEAD: return dip_.log().head();
    case D1_REG_LOG_LOST: return dip_.log().lost();
    case D1_REG_CORRECTED: return faults_.corrected();
    case D1_REG_UNCORRECTED: return faults_.uncorrected();
    case D1_REG_RETRAINS: return faults_.retrains();
    case D1_REG_HALTED: return halted_ms();
    default: break;
  }
  if (offset / D1_BAR_PAGE == D1_REG_LIVE_BASE / D1_BAR_PAGE)
    return live_.at(offset - D1_REG_LIVE_BASE).load(std::memory_order_acquire);
  const std::uint32_t queue = (offset - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE;
  if (offset < D1_REG_QUEUE_BASE || queue >= D1_QUEUE_PAIRS) return 0;
  return locked([&](Dip& dip) { return dip.read_queue(queue, offset % D1_QUEUE_STRIDE); });
}

void Device::Implementation::write_register(std::uint32_t offset, std::uint64_t value) {
  if (faults_.gone()) return;
  switch (offset) {
    case D1_REG_CONTROL:
      if (value == D1_CONTROL_ENABLE) {
        if (!ready_.exchange(true)) set_ready(true);
      } else if (ready_.exchange(false)) {
        locked([this](Dip&) { reset(); });
        set_ready(false);
      }
      return;
    case D1_REG_LOG_TAIL: dip_.log().set_tail(value); return;
    case D1_REG_LOG_BASE:
    case D1_REG_LOG_BYTES:
      (offset == D1_REG_LOG_BASE ? log_base_ : log_bytes_).store(value);
      locked([this](Dip& dip) {
        const std::uint64_t bytes = log_bytes_.load();
        const bool good = (bytes & (bytes - 1)) == 0 && bytes >= 4096 && bytes <= 64 << 20;
        dip.log().configure(log_base_.load(), good && log_base_.load() != 0 ? bytes : 0);
      });
      return;
    default: break;
  }
  const std::uint32_t queue = (offset - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE;
  if (offset < D1_REG_QUEUE_BASE || queue >= D1_QUEUE_PAIRS) return;
  locked([&](Dip& dip) { dip.write_queue(queue, offset % D1_QUEUE_STRIDE, value); });
}

void Device::Implementation::ring(std::uint32_t offset, std::uint32_t value) noexcept {
  const std::uint32_t bell = (offset - D1_REG_DOORBELL_BASE) / 4;
  if (offset < D1_REG_DOORBELL_BASE || bell >= 2 * D1_QUEUE_PAIRS) return;
  if (bell % 2 == 0) dip_.ring_submission(bell / 2, value);
  else dip_.ring_completion(bell / 2, value);
  // Sleepers count themselves in before they look for work (both seq_cst), so one of us sees the
  // other.
  if (sleepers_.load(std::memory_order_seq_cst) != 0 && dip_.has_work()) {
    const std::lock_guard guard(sleep_mutex_);
    sleep_.notify_all();
  }
}

// With the lock held: runs until there is nothing to do, or stop(), the deadline, a caller's wish.
// A host without memory for what a command needs is the end of this device, not of its process.
Device::Implementation::Pumped Device::Implementation::pump(const std::function<bool()>& stop,
                                                            Clock::time_point deadline) try {
  if (faults_.armed()) faults_.poll();
  if (live_.at(D1_REG_STATUS).load(std::memory_order_relaxed) & D1_STATUS_FATAL)
    return Pumped::Idle;  // so it reads, too, when the device is gone
  for (unsigned round = 1;; ++round) {
    if (halted()) return Pumped::Idle;
    if (faults_.armed() && !faults_allow_work()) return Pumped::Idle;
    dip_.process();
    if (stop()) return Pumped::Stopped;
    const bool ran = scheduler_.step() ||
                     (faults_.armed() && dip_.waits_for_faults() && faults_.pass_time());
    active_.store(ran, std::memory_order_relaxed);
    live_.at(D1_REG_CYCLE)
        .store(scheduler_.frontier() / isa::kTicksPerCycle, std::memory_order_relaxed);
    if (!ran && !dip_.has_work()) return Pumped::Idle;
    if (callers_.load(std::memory_order_relaxed) != 0) return Pumped::Yielded;
    if ((round % kClockInterval == 0 || scheduler_.last_nodes() >= kClockNodes) &&
        Clock::now() >= deadline)
      return Pumped::Stopped;
  }
} catch (const std::bad_alloc&) {
  live_.at(D1_REG_STATUS).fetch_or(D1_STATUS_FATAL);
  return Pumped::Idle;
}

void Device::Implementation::run(const std::function<bool()>& stop, Clock::time_point deadline) {
  const Counted runner(runners_);
  while (!stop()) {
    bool idle = false;
    if (std::unique_lock machine(mutex_, std::try_to_lock); machine) {
      const Pumped pumped = pump(stop, deadline);
      machine.unlock();
      if (pumped == Pumped::Stopped) break;
      idle = pumped == Pumped::Idle;
      if (pumped == Pumped::Yielded) std::this_thread::yield();
    } else {
      std::this_thread::yield();
    }
    if (Clock::now() >= deadline) break;
    if (!idle || stop()) continue;
    std::unique_lock guard(sleep_mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    if (!dip_.has_work() || halted())
      sleep_.wait_until(guard, std::min(deadline, Clock::now() + kIdleWait));
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
  }
}

bool Device::Implementation::run_until_idle(const std::function<bool()>& stop) {
  const Counted runner(runners_);
  while (!stop()) {
    Pumped pumped = Pumped::Yielded;
    {
      const std::lock_guard machine(mutex_);
      pumped = pump(stop, Clock::time_point::max());
    }
    if (pumped == Pumped::Idle) return true;
    // A mutex is not fair: who gives way waits until the others have it.
    while (callers_.load() != 0) std::this_thread::yield();
  }
  return false;
}

void Device::Implementation::detach() {
  log_base_.store(0);
  locked([](Dip& dip) { dip.detach(); });
}

DeviceMemory Device::Implementation::memory() const noexcept {
  const auto part = [](const Reservation& from) {
    return DeviceMemory::Part{from.data(), from.bytes(), from.file()};
  };
  return {part(live_.bar()), part(machine_.all_sram()), part(machine_.all_hbm())};
}

// The device's own thread: runs the machine when there is work and no host thread does.
void Device::Implementation::keep_going() {
  bool seen_before = false;
  auto last_work = Clock::now() - kLately;
  while (!quit_.load()) {
    const bool work = !halted() && (dip_.has_work() || active_.load(std::memory_order_relaxed) ||
                                    dip_.delaying() || faults_.timed());
    // Work that is a nap old is nobody's: whoever rang for it does not wait in run().
    if (work && seen_before && runners_.load() == 0 && mutex_.try_lock()) {
      const auto give_way = [this] { return runners_.load() != 0 || quit_.load(); };
      pump(give_way, Clock::time_point::max());
      mutex_.unlock();
    }
    if (work || runners_.load() != 0) last_work = Clock::now();
    const bool lately = Clock::now() - last_work < kLately;
    seen_before = work;
    if (work && !lately) continue;
    std::unique_lock guard(sleep_mutex_);
    if (quit_.load()) return;
    if (lately) {
      sleep_.wait_for(guard, kNap, [this] { return quit_.load(); });
      continue;
    }
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    sleep_.wait(guard, [this] {
      return quit_.load() || (!halted() && (dip_.has_work() || active_.load() ||
                                            dip_.delaying() || faults_.timed()));
    });
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    seen_before = true;
  }
}

void Device::Implementation::reset() {
  dip_.detach();
  log_base_.store(0);
  for (NodeIndex id = 0; id < machine_.positions(); ++id)
    if (Node* node = machine_.find(id); node != nullptr) {
      node->reset();
      machine_.discard_sram(id);
    }
  active_.store(false);
}

Result<> Device::Implementation::access(std::uint64_t address, std::span<std::uint8_t> data,
                                        bool write) {
  return locked([&](Dip& dip) -> Result<> {
    std::uint8_t* memory = dip.device_memory(address, data.size());
    if (memory == nullptr)
      return fail(ErrorKind::Invalid,
                  fmt::format("Device address {:#x} with {} bytes is not in the SRAM of a usable "
                              "node nor in the {} bytes of HBM.",
                              address, data.size(), machine_.hbm_bytes()));
    if (data.empty()) return {};
    if (faults_.gone()) {  // as on a bus with nobody there
      if (!write) std::memset(data.data(), 0xff, data.size());
      return {};
    }
    if (write) std::memcpy(memory, data.data(), data.size());
    else std::memcpy(data.data(), memory, data.size());
    return {};
  });
}

DeviceStatistics Device::Implementation::statistics() {
  return locked([this](Dip&) {
    DeviceStatistics statistics{scheduler_.quanta(), scheduler_.trace_hash(), scheduler_.retired(),
                                scheduler_.engine_statistics()};
    statistics.engine.blocks_decoded = machine_.blocks_decoded()->load();
    for (const std::uint64_t each : statistics.instructions) statistics.engine.retired += each;
    return statistics;
  });
}

Device::Device(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Device::~Device() = default;

Result<std::unique_ptr<Device>> Device::create(DeviceOptions options) {
  auto description =
      options.description ? Result<MachineDescription>(*options.description)
                          : load_machine(options.machine);
  if (!description) return pass_on(description, "opening the emulated device");
  if (options.rom.size() > D1_ROM_BYTES)
    return fail(ErrorKind::Invalid, fmt::format("The boot ROM of {} bytes does not fit into {}.",
                                                options.rom.size(), D1_ROM_BYTES));
  try {
    return std::unique_ptr<Device>(
        new Device(std::make_unique<Implementation>(*description, options)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host has no address space for machine '{}' ({} nodes); raise "
                            "'ulimit -v' or vm.overcommit_memory, or choose a smaller machine.",
                            description->name, description->usable_nodes()));
  } catch (const std::system_error& reason) {
    return no_thread("running the nodes of machine '" + description->name + "'", reason);
  }
}

const MachineDescription& Device::machine() const noexcept {
  return implementation_->description();
}
std::uint64_t Device::read_register(std::uint32_t offset) {
  return implementation_->read_register(offset);
}
void Device::write_register(std::uint32_t offset, std::uint64_t value) {
  implementation_->write_register(offset, value);
}
void Device::ring_doorbell(std::uint32_t offset, std::uint32_t value) noexcept {
  implementation_->ring(offset, value);
}
Result<> Device::dma_map(std::uint64_t address, void* memory, std::uint64_t bytes,
                         DmaAccess access) {
  return implementation_->locked(
      [&](Dip& dip) { return dip.dma().map(address, memory, bytes, access); });
}
Result<> Device::dma_map(std::uint64_t address, RemoteMemory& memory, std::uint64_t bytes,
                         DmaAccess access) {
  return implementation_->locked(
      [&](Dip& dip) { return dip.dma().map(address, memory, bytes, access); });
}
void Device::detach() { implementation_->detach(); }
bool Device::run_until_idle(const std::function<bool()>& stop) {
  return implementation_->run_until_idle(stop);
}
DeviceMemory Device::memory() const noexcept { return implementation_->memory(); }
void Device::beat() noexcept { implementation_->beat(); }
Result<> Device::inject(const FaultPlan& plan) { return implementation_->inject(plan); }
void Device::clear_faults() { implementation_->clear_faults(); }
std::vector<std::string> Device::fault_events() { return implementation_->fault_events(); }
Result<> Device::dma_unmap(std::uint64_t address, std::uint64_t bytes) {
  return implementation_->locked([&](Dip& dip) { return dip.dma().unmap(address, bytes); });
}
std::uint8_t* Device::memory_at(std::uint64_t address, std::uint64_t bytes) {
  return implementation_->locked(
      [&](const Dip& dip) { return dip.device_memory(address, bytes); });
}
Result<> Device::read_memory(std::uint64_t address, std::span<std::uint8_t> data) {
  return implementation_->access(address, data, false);
}
Result<> Device::write_memory(std::uint64_t address, std::span<const std::uint8_t> data) {
  return implementation_->access(
      address, {const_cast<std::uint8_t*>(data.data()), data.size()}, true);
}
void Device::set_interrupt_handler(std::function<void(unsigned)> handler) {
  implementation_->locked([&](Dip& dip) { dip.set_interrupt(std::move(handler)); });
}
void Device::run(const std::function<bool()>& stop, Clock::time_point deadline) {
  implementation_->run(stop, deadline);
}
void Device::name_code(std::uint64_t offset, std::span<const std::uint8_t> code,
                       std::vector<NamedFunction> functions) {
  implementation_->locked([&](Dip& dip) { dip.name_code(offset, code, std::move(functions)); });
}
Result<std::vector<std::uint8_t>> Device::debug(const d1_debug_request& request,
                                                std::span<const std::uint8_t> data,
                                                std::uint64_t& cycle) {
  return implementation_->debug(request, data, cycle);
}
void Device::halt() { implementation_->halt(); }
void Device::resume() { implementation_->resume(); }
DeviceStatistics Device::statistics() { return implementation_->statistics(); }

}  // namespace d1::emulator
