// SPDX-License-Identifier: Apache-2.0
// A grid of the emulated machine, driven through its registers, one queue and nothing else. Owns
// device, rings and log ring. Commands are sent one at a time and waited for. One thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <d1/abi/commands.h>
#include <d1/abi/log.h>
#include <d1/abi/registers.h>
#include <d1/emulator/device.hpp>

#include "kernel_grid.hpp"

namespace d1::test {

class MachineGrid final : public KernelGrid {
 public:
  // rows 0: every usable node of the machine.
  MachineGrid(emulator::DeviceOptions options, std::uint32_t rows, std::uint32_t columns);

  [[nodiscard]] std::uint32_t size() const override {
    return static_cast<std::uint32_t>(places_.size());
  }
  void load(std::uint64_t offset, std::span<const std::uint8_t> file, std::uint64_t memory_bytes,
            bool executable) override;
  [[nodiscard]] bool launch(d1_launch launch) override;
  void write(std::uint32_t rank, std::uint64_t offset,
             std::span<const std::uint8_t> bytes) override;
  void read(std::uint32_t rank, std::uint64_t offset, std::span<std::uint8_t> bytes) override;
  void write_hbm(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;
  void read_hbm(std::uint64_t offset, std::span<std::uint8_t> bytes) override;
  [[nodiscard]] std::string printed(std::uint32_t rank) override;

  // Of the last launch.
  [[nodiscard]] const d1_launch_report& report() const { return *report_; }
  [[nodiscard]] const d1_completion& completion() const { return completion_; }
  [[nodiscard]] emulator::Device& device() { return *device_; }
  std::chrono::seconds patience{60};  // host time a command may take

 private:
  static constexpr std::uint32_t kEntries = 16;
  static constexpr std::uint64_t kLogBytes = 1 << 20;
  static constexpr std::uint64_t kHostBase = 0x1000000;  // I/O address of `host_`

  template <typename Command>
  const d1_completion& run(Command command);
  template <typename T>
  T* at(std::uint64_t offset) {
    return reinterpret_cast<T*>(host_.get() + offset);
  }
  void read_log();

  std::unique_ptr<emulator::Device> device_;
  // Submission ring, completion ring, launch, report, topology, log ring, staging; by offset.
  std::unique_ptr<std::uint8_t[]> host_;
  std::uint64_t launch_at_, report_at_, topology_at_, log_at_, staging_at_;
  std::uint32_t grid_ = 0, tail_ = 0;
  std::uint16_t phase_ = 1;
  d1_completion completion_{};
  d1_launch_report* report_ = nullptr;
  std::vector<std::uint32_t> places_;  // by rank: die << 16 | node
  std::uint64_t log_tail_ = 0;
  std::map<std::uint32_t, std::string> printed_;
};

}  // namespace d1::test
