// SPDX-License-Identifier: Apache-2.0
// A device as tools see it: its debug interface (d1/abi/debug.h), beside whoever uses the device.
//
// Ownership: a target owns its connection; halts that it asked for end with it. Threads: one at a
// time. Blocking: every call waits until limits::kDebugTimeout at most for an answer (Timeout);
// a device that is gone is DeviceLost, and so is every later call.
#pragma once

#include <d1/abi/debug.h>
#include <d1/base/error.hpp>
#include <d1/driver/limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1::driver {

struct DebugPlace {
  std::uint32_t die = 0, node = 0;
  auto operator<=>(const DebugPlace&) const = default;
};

struct DebugRegisters {
  d1_debug_registers values{};
  std::vector<d1_debug_csr> csrs;
};

struct DebugVerdict {
  d1_debug_verdict head{};
  std::vector<d1_debug_wait> waits;
};

class DebugTarget {
 public:
  virtual ~DebugTarget() = default;

  // One line for people: what is at the other end.
  [[nodiscard]] virtual std::string description() const = 0;

  // Emulated time of the latest answer.
  [[nodiscard]] std::uint64_t cycle() const noexcept { return cycle_; }

  [[nodiscard]] Result<d1_debug_machine> machine();
  [[nodiscard]] Result<std::vector<d1_debug_node>> nodes();
  // Of these nodes; none: of all. Harts in reset are left out.
  [[nodiscard]] Result<std::vector<d1_debug_hart>> harts(std::span<const DebugPlace> places = {});
  [[nodiscard]] Result<DebugRegisters> registers(DebugPlace place, unsigned hart);
  // value: 8 bytes, of a vector register 64. Changes the run of whoever uses the device.
  [[nodiscard]] Result<> set_register(DebugPlace place, unsigned hart, d1_debug_register_set set,
                                      unsigned number, std::span<const std::byte> value);
  // Device addresses. A write changes the run of whoever uses the device.
  [[nodiscard]] Result<std::vector<std::byte>> read(std::uint64_t address, std::uint64_t bytes);
  [[nodiscard]] Result<> write(std::uint64_t address, std::span<const std::byte> bytes);
  [[nodiscard]] Result<d1_debug_node_state> node(DebugPlace place);
  [[nodiscard]] Result<std::vector<d1_debug_launch>> launches();
  [[nodiscard]] Result<std::vector<d1_debug_queue>> queues();
  [[nodiscard]] Result<std::vector<d1_debug_program>> programs();
  // Empty where nobody told the device.
  [[nodiscard]] Result<std::vector<std::byte>> elf(std::uint64_t program);
  [[nodiscard]] Result<> halt();
  [[nodiscard]] Result<> resume();
  [[nodiscard]] Result<DebugVerdict> verdict();

 protected:
  struct Answer {
    std::uint64_t cycle = 0;
    std::vector<std::byte> data;
  };
  // Carries out one request: the answer's data, or its error.
  [[nodiscard]] virtual Result<Answer> ask(const d1_debug_request& request,
                                           std::span<const std::byte> data) = 0;

 private:
  [[nodiscard]] Result<std::vector<std::byte>> data_of(
      d1_debug_verb verb, std::array<std::uint64_t, 4> arguments = {},
      std::span<const std::byte> data = {});
  template <typename Record>
  [[nodiscard]] Result<std::vector<Record>> records_of(
      d1_debug_verb verb, std::array<std::uint64_t, 4> arguments = {},
      std::span<const std::byte> data = {});

  std::uint64_t cycle_ = 0;
};

// What `target` names:
//   PATH.sock or "vfio-user:PATH"   a DPU that `d1 serve` offers
//   a number                        the process that emulates a device in itself, if it allows that
//                                   (D1_DEBUG=1 in its environment); NUMBER.K: its K-th device
// Only processes of the same user can be attached to.
[[nodiscard]] Result<std::unique_ptr<DebugTarget>> open_debug_target(std::string_view target);

}  // namespace d1::driver
