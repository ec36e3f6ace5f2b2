// SPDX-License-Identifier: Apache-2.0
// Answers what tools ask of a device (d1/abi/debug.h), with the device's lock held.
#pragma once

#include <d1/abi/debug.h>
#include <d1/base/error.hpp>

#include <cstdint>
#include <span>
#include <vector>

#include "dip/dip.hpp"
#include "fabric.hpp"
#include "machine_state.hpp"
#include "scheduler.hpp"

namespace d1::emulator {

// What the device around the machine is doing.
struct DeviceActivity {
  bool has_host = false, running = false;
  std::uint32_t halts = 0;
};

// Made for one request.
class DebugPort {
 public:
  using Bytes = std::vector<std::uint8_t>;

  DebugPort(MachineState& machine, Fabric& fabric, Scheduler& scheduler, Dip& dip,
            const DeviceActivity& activity) noexcept
      : machine_(machine),
        fabric_(fabric),
        scheduler_(scheduler),
        dip_(dip),
        activity_(activity) {}

  [[nodiscard]] Result<Bytes> answer(const d1_debug_request& request,
                                     std::span<const std::uint8_t> data);

 private:
  [[nodiscard]] Bytes machine() const;
  [[nodiscard]] Bytes nodes() const;
  [[nodiscard]] Result<Bytes> harts(std::span<const std::uint8_t> places) const;
  [[nodiscard]] Result<Bytes> registers(const d1_debug_request& request) const;
  [[nodiscard]] Result<Bytes> set_register(const d1_debug_request& request,
                                           std::span<const std::uint8_t> value);
  [[nodiscard]] Result<Bytes> read(const d1_debug_request& request) const;
  [[nodiscard]] Result<Bytes> write(const d1_debug_request& request,
                                    std::span<const std::uint8_t> bytes);
  [[nodiscard]] Result<Bytes> node_state(const d1_debug_request& request) const;
  [[nodiscard]] Bytes programs() const;
  [[nodiscard]] Bytes verdict() const;
  [[nodiscard]] Result<Bytes> elf(const d1_debug_request& request) const;

  [[nodiscard]] std::unexpected<Error> no_memory(std::uint64_t address,
                                                 std::uint64_t bytes) const;
  // Of the first two arguments.
  [[nodiscard]] Result<NodeIndex> node_of(std::uint64_t die, std::uint64_t node) const;
  // Of the first three; the node has run. Null: it never did, so its harts are in reset.
  [[nodiscard]] Result<Node*> hart_of(const d1_debug_request& request) const;
  [[nodiscard]] d1_debug_node describe(NodeIndex id) const;
  [[nodiscard]] d1_debug_hart describe_hart(const Node& node, unsigned hart) const;

  MachineState& machine_;
  Fabric& fabric_;
  Scheduler& scheduler_;
  Dip& dip_;
  const DeviceActivity activity_;
};

}  // namespace d1::emulator
