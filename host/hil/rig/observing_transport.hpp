// SPDX-License-Identifier: Apache-2.0
// A transport that lets everything pass to the one it holds, and tells a Traffic of it.
//
// Completions go to a ring of its own first, and from there to the driver's when they have been
// told: so nothing that the driver acts on is missed, and what a command wrote is looked at before
// anybody can change it. They move whenever the driver asks for something, and each millisecond
// while commands are in flight, for a driver that only looks at its ring.
//
// Threads: any may call any member.
#pragma once

#include <d1/abi/commands.h>
#include <d1/abi/registers.h>
#include <d1/driver/queue_pair.hpp>
#include <d1/driver/transport.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "rig/command_memory.hpp"
#include "rig/shared_memory.hpp"
#include "rig/traffic.hpp"

namespace d1::hil {

class ObservingTransport final : public driver::Transport {
 public:
  [[nodiscard]] static Result<std::unique_ptr<driver::Transport>> open(
      std::shared_ptr<Traffic> traffic, driver::TransportOptions options);
  ~ObservingTransport() override;

  std::string description() const override { return inner_->description() + ", observed"; }
  std::uint64_t read_register64(std::uint32_t offset) override;
  void write_register64(std::uint32_t offset, std::uint64_t value) override;
  void ring_doorbell32(std::uint32_t offset, std::uint32_t value) override;
  driver::DmaRequirements dma_requirements() const override { return inner_->dma_requirements(); }
  Result<> dma_map(std::uint64_t iova, const driver::DmaMemory& memory,
                   driver::DmaAccess access) override;
  Result<> dma_unmap(std::uint64_t iova, std::uint64_t bytes) override;
  Result<> read_aperture(std::uint64_t address, void* data, std::uint64_t bytes) override;
  Result<> write_aperture(std::uint64_t address, const void* data, std::uint64_t bytes) override;
  std::uint64_t interrupt_count(unsigned vector) const noexcept override;
  void wait_for_interrupt(unsigned vector, std::uint64_t seen, driver::Deadline deadline) override;
  Statistics statistics() override { return inner_->statistics(); }
  bool wants_code_names() const override { return inner_->wants_code_names(); }
  void name_code(std::uint64_t offset, std::span<const std::byte> code,
                 std::vector<NamedFunction> functions) override {
    inner_->name_code(offset, code, std::move(functions));
  }
  bool can_inject_faults() const override { return inner_->can_inject_faults(); }
  Result<> inject_faults(std::string_view plan) override { return inner_->inject_faults(plan); }
  Result<> clear_faults() override { return inner_->clear_faults(); }
  Result<std::vector<std::string>> fault_events() override { return inner_->fault_events(); }
  bool lost() const noexcept override { return inner_->lost(); }

  // As interrupt_count(), without moving anything, so that no action follows.
  [[nodiscard]] std::uint64_t raised(unsigned vector) const noexcept {
    return inner_->interrupt_count(vector);
  }

  // The device as it is without its driver: held in reset, and let go.
  void hold_in_reset();
  void release();

 private:
  struct Queue {
    std::uint64_t submission = 0, completion = 0, entries = 0;
    bool enabled = false;
    std::uint32_t submitted = 0;   // index of the next one to be told
    std::uint32_t completed = 0;   // and of the next completion to move
    std::uint16_t phase = 1;
    std::map<std::uint16_t, driver::CommandBytes> in_flight;  // by id
  };
  struct Map {
    std::byte* pointer;
    std::uint64_t bytes;
  };
  struct Passed {  // to be told to those who wait for it, without the lock
    EventKind kind;
    unsigned which;
  };

  ObservingTransport(std::shared_ptr<Traffic> traffic, std::unique_ptr<driver::Transport> inner,
                     SharedMemory rings);
  void write_queue(unsigned queue, unsigned reg, std::uint64_t value);
  void enable_queue(unsigned queue, std::uint64_t value);
  void forget(Queue& queue);
  void tell_commands(unsigned queue, std::uint32_t tail, std::vector<Passed>& passed);
  void move_completions(std::vector<Passed>& passed);
  void move_completion(unsigned queue, const d1_completion& entry, std::vector<Passed>& passed);
  void move();
  void tell(const std::vector<Passed>& passed);
  void keep_moving(const std::stop_token& stop);
  // What the host has at the ranges that lie in its maps: told, and kept if the device reads it.
  enum class Payload : bool { Seen, Kept };
  [[nodiscard]] Traffic::Json told(const std::vector<IoRange>& ranges, Payload payload) const;
  [[nodiscard]] std::byte* memory_at(std::uint64_t iova, std::uint64_t bytes) const;
  [[nodiscard]] d1_completion* own_ring(unsigned queue) const noexcept;

  const std::shared_ptr<Traffic> traffic_;
  const std::unique_ptr<driver::Transport> inner_;
  SharedMemory rings_;
  std::mutex mutex_;  // everything below
  std::condition_variable_any work_;
  std::array<Queue, D1_QUEUE_PAIRS> queues_;
  std::map<std::uint64_t, Map> maps_;  // by iova
  std::array<std::uint64_t, D1_MSIX_VECTORS> interrupts_{};
  std::size_t waiting_ = 0;            // commands
  std::atomic<bool> was_reset_{false}; // under its driver, for which it has failed for good
  bool enable_wanted_ = false;         // by the driver, while the device is held in reset
  std::jthread mover_;                 // last: it uses everything above
};

}  // namespace d1::hil
