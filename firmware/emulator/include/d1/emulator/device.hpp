// SPDX-License-Identifier: Apache-2.0
// The emulated machine behind one PCI function: BAR0, the aperture, DMA, interrupts. This is all a
// transport needs; there is no other way in.
//
// Threads: every member may be called from any thread at once. One lock guards the machine; it is
// held while nodes run, never across a wait. Doorbells and the registers that a host polls take no
// lock, so a host that spins on one sees progress: when nobody waits in run(), a thread of the
// device's own runs the machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <d1/abi/debug.h>
#include <d1/base/code_names.hpp>
#include <d1/base/error.hpp>
#include <d1/emulator/engine_options.hpp>
#include <d1/emulator/engine_statistics.hpp>
#include <d1/emulator/fault_plan.hpp>
#include <d1/emulator/machine_description.hpp>

namespace d1::emulator {

enum class DmaAccess : std::uint8_t { Read, Write };  // by the device; Write allows reading too

// Host memory that only its owner can touch: the device asks for every byte. Called with the
// device's lock held, from the thread that runs the machine; false: it is not to be had any more.
class RemoteMemory {
 public:
  virtual ~RemoteMemory() = default;
  [[nodiscard]] virtual bool read(std::uint64_t address, std::span<std::uint8_t> data) noexcept = 0;
  [[nodiscard]] virtual bool write(std::uint64_t address,
                                   std::span<const std::uint8_t> data) noexcept = 0;
};

// Who runs the machine when nobody waits in run(): a thread of the device's own, or nobody, since
// its owner has one.
enum class Keeper : std::uint8_t { OwnThread, Caller };

// Something a fault of a plan did.
struct FaultEvent {
  enum Phase : std::uint8_t { Begins, Hits, Ends };
  FaultKind kind;
  Phase phase;
  std::size_t number;  // of the fault, from 1 on, over all plans the device was given
  std::uint64_t cycle;
  std::optional<std::chrono::milliseconds> for_ms;  // how long it will last, where the plan says so
  std::string text;    // for people
};

// Whose business the daemon's own faults are.
enum class DaemonFaults : std::uint8_t { Refused, ToldToHandler };

struct DeviceOptions {
  std::string machine = "d1";     // name of a built-in machine or path of a machine file
  std::optional<MachineDescription> description;  // instead of `machine`
  unsigned host_threads = 0;      // that run nodes; 0: as many as the host has processors
  std::uint64_t seed = 0;         // other than 0 shuffles the order of what is unordered
  EngineOptions engine = engine_options_from_environment();
  std::vector<std::uint8_t> rom;  // boot ROM; empty: the built-in one
  std::function<void(unsigned worker)> join_delay;  // for tests: see WorkerPool
  Keeper keeper = Keeper::OwnThread;
  bool shared_memory = false;     // for other processes to map: see Device::memory()
  // Told of each event of a fault, with the lock held: it must neither block nor call the device.
  std::function<void(const FaultEvent&)> fault_handler;
  DaemonFaults daemon_faults = DaemonFaults::Refused;
};

// What the device keeps in memory that a host may map: a BAR each. Files are -1 unless
// DeviceOptions::shared_memory asked for them; they are the device's, sealed against shrinking.
struct DeviceMemory {
  struct Part {
    std::uint8_t* data = nullptr;
    std::uint64_t bytes = 0;
    int file = -1;
  };
  Part bar0;  // doorbells (which the device does not look at by itself) and the live page
  Part sram;  // of all nodes, D1_BAR2_STRIDE apart
  Part hbm;
};

// What the emulation itself did, for benchmarks and tests; not of the device.
struct DeviceStatistics {
  std::uint64_t quanta = 0;
  std::uint64_t trace_hash = 0;                // equal for equal runs
  std::vector<std::uint64_t> instructions;     // retired, by host thread
  EngineStatistics engine;
};

class Device {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Device>> create(DeviceOptions options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  [[nodiscard]] const MachineDescription& machine() const noexcept;

  // BAR0 (d1/abi/registers.h): 8 bytes at a multiple of 8. What is no register reads as 0 and
  // ignores writes.
  [[nodiscard]] std::uint64_t read_register(std::uint32_t offset);
  void write_register(std::uint32_t offset, std::uint64_t value);
  void ring_doorbell(std::uint32_t offset, std::uint32_t value) noexcept;

  [[nodiscard]] Result<> dma_map(std::uint64_t address, void* memory, std::uint64_t bytes,
                                 DmaAccess access);
  [[nodiscard]] Result<> dma_map(std::uint64_t address, RemoteMemory& memory, std::uint64_t bytes,
                                 DmaAccess access);
  // When it returns the device no longer touches the memory.
  [[nodiscard]] Result<> dma_unmap(std::uint64_t address, std::uint64_t bytes);

  // Device memory by device address; takes the lock, so it sees the state between two quanta.
  [[nodiscard]] Result<> read_memory(std::uint64_t address, std::span<std::uint8_t> data);
  [[nodiscard]] Result<> write_memory(std::uint64_t address, std::span<const std::uint8_t> data);

  // Where that is on the host, or null if it is not device memory. Valid as long as the device.
  [[nodiscard]] std::uint8_t* memory_at(std::uint64_t address, std::uint64_t bytes);

  // Called with the lock held, from the thread that runs the machine; must neither block nor call
  // the device. Set it before the first doorbell.
  void set_interrupt_handler(std::function<void(unsigned vector)> handler);

  // Runs the machine on the caller's thread, as long as it has work, until stop() says so or the
  // deadline has passed; stop() is asked at quantum ends. If another thread is running the machine
  // or there is nothing to do, waits for a short while at most and returns.
  void run(const std::function<bool()>& stop, std::chrono::steady_clock::time_point deadline);

  // Runs the machine on the caller's thread until it has nothing more to do (true: nothing before
  // the next doorbell) or stop() says so. Waits only for other callers' short calls.
  [[nodiscard]] bool run_until_idle(const std::function<bool()>& stop);

  [[nodiscard]] DeviceMemory memory() const noexcept;

  // The host is gone: its queues, launches, events, grids and log ring go with it, memory and nodes
  // stay as they are.
  void detach();

  // Gives the device faults, besides those it has: all of the plan, or none and an error where the
  // machine has no such place.
  [[nodiscard]] Result<> inject(const FaultPlan& plan);
  // All faults end; what they did to memory stays.
  void clear_faults();
  // What faults have done, oldest first; of many the latest kFaultEvents.
  static constexpr std::size_t kFaultEvents = 1024;
  [[nodiscard]] std::vector<std::string> fault_events();

  // The debug interface, for DebugSession (debug_session.hpp): what a tool asks, but for halts; the
  // cycle of the answer.
  [[nodiscard]] Result<std::vector<std::uint8_t>> debug(const d1_debug_request& request,
                                                        std::span<const std::uint8_t> data,
                                                        std::uint64_t& cycle);
  // Emulated time stands still until as many resume() as halt() have been called.
  void halt();
  void resume();

  // Puts the heartbeat into the live page; for a device whose BAR0 is mapped by others.
  void beat() noexcept;

  [[nodiscard]] DeviceStatistics statistics();

  // Names the functions of code that will be loaded at `offset` of nodes, for profilers and
  // debuggers of this process (EngineOptions::names_code).
  void name_code(std::uint64_t offset, std::span<const std::uint8_t> code,
                 std::vector<NamedFunction> functions);

 private:
  class Implementation;
  explicit Device(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace d1::emulator
