// SPDX-License-Identifier: Apache-2.0
// One DPU as a PCI function: an emulated device of its own, its BARs and configuration space, its
// interrupts, and the thread that runs it. It outlives its users: what they leave in it stays.
//
// Threads: any may call any member. The function's own thread looks at the doorbells in BAR0 and
// runs the device while that has work.
#pragma once

#include <d1/emulator/device.hpp>
#include <d1/vfio_user/descriptor.hpp>
#include <linux/vfio.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "interrupts.hpp"
#include "pci_config.hpp"

namespace d1::server {

struct FunctionOptions {
  emulator::DeviceOptions device;
  std::chrono::microseconds poll{50};  // how long doorbells are watched once there is no work
};

// A region as VFIO tells it.
struct Region {
  std::uint64_t bytes = 0;  // 0: the function has no such region
  std::uint32_t flags = 0;  // VFIO_REGION_INFO_FLAG_*
  int file = -1;            // to be mapped, from its offset 0 on
  struct Area {
    std::uint64_t offset, bytes;
  };
  std::vector<Area> areas;  // that may be mapped
};

struct QueueDepth {
  unsigned index;
  std::uint64_t entries;
  std::uint64_t depth;  // commands that were rung for and not yet fetched
};

class Function {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Function>> create(FunctionOptions options);
  ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  [[nodiscard]] emulator::Device& device() noexcept { return *device_; }
  [[nodiscard]] Interrupts& interrupts() noexcept { return interrupts_; }

  [[nodiscard]] Region region(std::uint32_t index) const;
  // An errno; 0: done. Registers take whole, aligned accesses of 8 bytes, doorbells of 4.
  [[nodiscard]] int read(std::uint32_t index, std::uint64_t offset, std::span<std::uint8_t> data);
  [[nodiscard]] int write(std::uint32_t index, std::uint64_t offset,
                          std::span<const std::uint8_t> data);

  // An eventfd that stands for D1_REG_KICK.
  [[nodiscard]] int kick_event() const noexcept { return kick_event_.get(); }

  // All of it as after power-on, but for the HBM's content.
  void reset();
  // Looks at the device anew: there may be something for it to do.
  void wake() noexcept;
  // The user is gone: its interrupts and doorbells, not the device's state.
  void release();

  // For those who watch: queues in use, doorbells that were rung, interrupts that were raised.
  [[nodiscard]] std::vector<QueueDepth> queues() const;
  [[nodiscard]] std::uint64_t doorbells() const noexcept { return doorbells_rung_.load(); }
  [[nodiscard]] std::uint64_t raised() const noexcept { return raised_.load(); }

 private:
  Function(std::unique_ptr<emulator::Device> device, const FunctionOptions& options,
           vfio_user::Descriptor kick_event);
  void keep_running(const std::stop_token& stop);
  bool take_doorbells() noexcept;
  void forget_doorbells(unsigned first, unsigned count) noexcept;
  void clear_doorbells() noexcept;
  void copy_words(std::span<std::uint8_t> to, std::uint32_t from) const noexcept;
  void raise(unsigned vector);
  void told(const emulator::FaultEvent& event);
  [[nodiscard]] std::atomic<std::uint64_t>& word(std::uint32_t offset) const noexcept;
  [[nodiscard]] std::atomic<std::uint32_t>& doorbell(unsigned bell) const noexcept;
  [[nodiscard]] int read_bar0(std::uint64_t offset, std::span<std::uint8_t> data);
  [[nodiscard]] int write_bar0(std::uint64_t offset, std::span<const std::uint8_t> data);
  [[nodiscard]] std::span<std::uint8_t> memory_bar(std::uint32_t index) const noexcept;

  static constexpr unsigned kBells = 2 * D1_QUEUE_PAIRS;

  std::unique_ptr<emulator::Device> device_;
  const emulator::DeviceMemory memory_;
  const std::chrono::microseconds poll_;
  Interrupts interrupts_;
  mutable std::mutex config_mutex_;
  PciConfig config_;
  vfio_user::Descriptor kick_event_;
  std::mutex bell_mutex_;  // never held while the device's lock is waited for
  std::array<std::uint32_t, kBells> bells_seen_{};
  std::atomic<std::uint64_t> doorbells_rung_{0}, raised_{0};
  std::jthread thread_;  // of create(); last: it uses everything above
};

}  // namespace d1::server
