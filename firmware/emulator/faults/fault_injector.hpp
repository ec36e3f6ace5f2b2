// SPDX-License-Identifier: Apache-2.0
// The faults a device has been given: which wait for their time, which are there now, and what that
// means for nodes, links, memory and queues. Everything happens between quanta, at the same point
// of emulated time whatever the host does, unless a fault itself names host time.
//
// Threads: members belong to who holds the device's lock, but for those marked so.
#pragma once

#include <d1/abi/commands.h>
#include <d1/emulator/device.hpp>
#include <d1/emulator/fault_plan.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fabric.hpp"
#include "faults/link_faults.hpp"
#include "faults/memory_errors.hpp"
#include "machine_state.hpp"
#include "scheduler.hpp"

namespace d1::emulator {

// What faults do to parts of the device that the injector does not know.
class FaultSink {
 public:
  virtual void die_lost(std::uint32_t die) = 0;  // launches that use it end
  virtual void removed() = 0;    // nothing reaches the host from now on
  virtual void restored() = 0;   // as after power-on
  virtual void throttled(bool yes) = 0;
  virtual void told(const FaultEvent& event) = 0;

 protected:
  ~FaultSink() = default;
};

// What hits one command.
struct CommandFaults {
  bool dma_error = false;
  std::uint8_t interrupts = 1;          // that its completion raises
  std::chrono::milliseconds delay{0};   // of its completion
};

class FaultInjector {
 public:
  using Clock = std::chrono::steady_clock;

  FaultInjector(MachineState& machine, Fabric& fabric, Scheduler& scheduler, FaultSink& sink);

  // All of a plan, or, where one of its faults is impossible on this machine, an error and nothing.
  [[nodiscard]] Result<> add(const FaultPlan& plan, bool in_daemon);
  // All faults end. What they did to memory, and what was lost, stays.
  void clear();

  [[nodiscard]] bool armed() const noexcept { return !faults_.empty(); }
  // That are there, or may still begin.
  [[nodiscard]] std::size_t count() const noexcept { return faults_.size(); }
  // Begins and ends what is due.
  void poll();
  // No node can run, though somebody waits: emulated time goes on to when the first fault ends, if
  // one does. False: none does.
  bool pass_time();

  // A command of a queue is about to be carried out.
  [[nodiscard]] CommandFaults command(unsigned queue, const d1_command_header& header,
                                      bool uses_host_memory);
  [[nodiscard]] bool stuck(unsigned queue) const noexcept { return stuck_queues_ >> queue & 1; }
  [[nodiscard]] LinkFaults& links() noexcept { return links_; }
  [[nodiscard]] MemoryErrors& errors() noexcept { return errors_; }

  // --- any thread ---------------------------------------------------------------------------
  // Nothing passes the link to the host for now; for good.
  [[nodiscard]] bool retraining() const noexcept { return retraining_.load(); }
  [[nodiscard]] bool gone() const noexcept { return gone_.load(); }
  // Host time may begin or end a fault.
  [[nodiscard]] bool timed() const noexcept { return timed_.load(); }
  [[nodiscard]] std::uint64_t corrected() const noexcept { return errors_.corrected(); }
  [[nodiscard]] std::uint64_t uncorrected() const noexcept { return errors_.uncorrected(); }
  [[nodiscard]] std::uint64_t retrains() const noexcept { return retrains_.load(); }

 private:
  enum class State : std::uint8_t { Waiting, Active, Over };
  struct Armed {
    Fault fault;             // with everything chosen that was left to the seed
    std::size_t number = 0;  // from 1 on, over all plans
    std::string name;        // kind and place, for people
    NodeIndex node = 0;
    NodeId link_end;
    std::uint64_t seed = 0;
    State state = State::Waiting;
    std::uint64_t commands = 0;  // it could have hit
    std::uint64_t hits = 0;      // commands hit, or times begun
    std::uint64_t ends_at = ~std::uint64_t{0};  // ticks
    Clock::time_point begins_when = Clock::time_point::max();
    Clock::time_point ends_when = Clock::time_point::max();
  };

  [[nodiscard]] Result<Armed> arm(const Fault& fault, std::uint64_t seed) const;
  [[nodiscard]] Result<> place(Armed& armed) const;
  [[nodiscard]] Result<> place_node(Armed& armed) const;
  [[nodiscard]] Result<> place_link(Armed& armed) const;
  [[nodiscard]] bool due(const Armed& armed, Clock::time_point now) const;
  [[nodiscard]] bool matches(const Armed& armed, unsigned queue, const d1_command_header& header,
                             bool uses_host_memory) const;
  void hit(Armed& armed, CommandFaults& faults, unsigned queue, const d1_command_header& header);
  void begin(Armed& armed);
  void end(Armed& armed);
  void flip(const Armed& armed);
  void apply();
  void power_on(std::uint32_t die);
  void hold(std::map<NodeIndex, unsigned> held);
  void tell(const Armed& armed, FaultEvent::Phase phase, std::string what);
  void forget_those_over();

  MachineState& machine_;
  Fabric& fabric_;
  Scheduler& scheduler_;
  FaultSink& sink_;
  MemoryErrors errors_;
  LinkFaults links_;
  std::vector<Armed> faults_;  // in the order in which they were given
  std::size_t given_ = 0;
  std::map<NodeIndex, unsigned> held_;  // harts, a bit each
  std::uint32_t stuck_queues_ = 0;
  std::atomic<bool> retraining_{false}, gone_{false}, timed_{false};
  std::atomic<std::uint64_t> retrains_{0};
};

}  // namespace d1::emulator
