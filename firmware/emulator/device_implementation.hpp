// SPDX-License-Identifier: Apache-2.0
// What a Device is made of: the machine and its DIP behind one lock, and the thread that runs them
// when no host thread does. Its members are device.cpp, those that faults call device_faults.cpp.
#pragma once

#include <d1/device/rom_image.h>
#include <d1/emulator/device.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "dip/dip.hpp"
#include "faults/fault_injector.hpp"

namespace d1::emulator {

class Device::Implementation final : private FaultSink {
 public:
  using Clock = std::chrono::steady_clock;

  Implementation(const MachineDescription& description, DeviceOptions& options)
      : live_(sharing_of(options)),
        machine_(description, rom_of(options), sharing_of(options)),
        fabric_(machine_),
        scheduler_(machine_, fabric_,
                   {threads_of(options), options.seed, options.engine,
                    options.join_delay}),
        faults_(machine_, fabric_, scheduler_, *this),
        dip_(machine_, fabric_, scheduler_, live_, faults_),
        fault_handler_(std::move(options.fault_handler)),
        daemon_faults_(options.daemon_faults) {
    fabric_.set_errors(&faults_.errors());
    if (options.keeper == Keeper::OwnThread) own_thread_ = std::thread([this] { keep_going(); });
  }

  ~Implementation() {
    {
      const std::lock_guard guard(sleep_mutex_);
      quit_.store(true);
    }
    sleep_.notify_all();
    if (own_thread_.joinable()) own_thread_.join();
  }

  [[nodiscard]] const MachineDescription& description() const { return machine_.description(); }
  std::uint64_t read_register(std::uint32_t offset);
  void write_register(std::uint32_t offset, std::uint64_t value);
  void ring(std::uint32_t offset, std::uint32_t value) noexcept;
  void run(const std::function<bool()>& stop, Clock::time_point deadline);
  bool run_until_idle(const std::function<bool()>& stop);
  [[nodiscard]] DeviceMemory memory() const noexcept;
  void detach();
  void beat() noexcept {
    if (!faults_.gone()) live_.at(D1_REG_HEARTBEAT).store(heartbeat());
  }
  // device_debug.cpp
  Result<std::vector<std::uint8_t>> debug(const d1_debug_request& request,
                                          std::span<const std::uint8_t> data,
                                          std::uint64_t& cycle);
  void halt();
  void resume();
  Result<> inject(const FaultPlan& plan);
  void clear_faults();
  std::vector<std::string> fault_events();
  Result<> access(std::uint64_t address, std::span<std::uint8_t> data, bool write);
  DeviceStatistics statistics();

  // Runs `what` between two quanta.
  template <typename What>
  auto locked(What&& what) {
    callers_.fetch_add(1);
    const std::lock_guard guard(mutex_);
    callers_.fetch_sub(1);
    return what(dip_);
  }

 private:
  static unsigned threads_of(const DeviceOptions& options) {
    const unsigned have =
        options.host_threads != 0 ? options.host_threads : std::thread::hardware_concurrency();
    return have == 0 ? 1 : have;
  }
  static std::span<const std::uint8_t> rom_of(const DeviceOptions& options) {
    if (!options.rom.empty()) return options.rom;
    return {d1_rom_image, d1_rom_image_bytes};
  }
  static Sharing sharing_of(const DeviceOptions& options) {
    return options.shared_memory ? Sharing::Shared : Sharing::Private;
  }
  // Stands still while the link to the host is down.
  std::uint64_t heartbeat() noexcept {
    if (!faults_.retraining())
      last_beat_.store(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch())
              .count()));
    return last_beat_.load();
  }
  void set_ready(bool ready) {
    live_.at(D1_REG_STATUS)
        .store(ready ? D1_STATUS_READY | throttle_bit_.load() | halted_bit() : 0);
  }

  void die_lost(std::uint32_t die) override { dip_.lose_die(die); }
  void removed() override;
  void restored() override;
  void throttled(bool yes) override;
  void told(const FaultEvent& event) override;
  bool faults_allow_work();
  [[nodiscard]] bool halted() const noexcept { return halts_.load() != 0; }
  [[nodiscard]] std::uint64_t halted_bit() const noexcept {
    return halted() ? D1_STATUS_HALTED : 0;
  }
  [[nodiscard]] std::uint64_t halted_ms();

  enum class Pumped : std::uint8_t { Idle, Stopped, Yielded };
  Pumped pump(const std::function<bool()>& stop, Clock::time_point deadline);
  void keep_going();
  void reset();

  LivePage live_;
  MachineState machine_;
  Fabric fabric_;
  Scheduler scheduler_;
  FaultInjector faults_;
  Dip dip_;
  std::function<void(const FaultEvent&)> fault_handler_;
  const DaemonFaults daemon_faults_;
  std::deque<std::string> fault_events_;
  std::atomic<std::uint64_t> last_beat_{0};
  std::atomic<std::uint64_t> throttle_bit_{0};

  std::atomic<unsigned> halts_{0};         // that tools asked for and not yet took back
  std::mutex halt_mutex_;                  // guards the two below, and changes of halts_
  Clock::time_point halted_since_;
  Clock::duration halted_before_{};        // in all, but for the halt under way

  std::mutex mutex_;                       // the machine
  std::atomic<unsigned> callers_{0};       // that want the lock for something short
  std::atomic<unsigned> runners_{0};       // host threads in run()
  std::atomic<bool> active_{false};        // nodes can still run
  std::atomic<std::uint64_t> log_base_{0}, log_bytes_{0};
  std::atomic<bool> ready_{false};

  std::mutex sleep_mutex_;
  std::condition_variable sleep_;
  std::atomic<unsigned> sleepers_{0};      // threads in sleep_ that a doorbell must wake
  std::atomic<bool> quit_{false};
  std::thread own_thread_;
};

}  // namespace d1::emulator
