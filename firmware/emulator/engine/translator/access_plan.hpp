// SPDX-License-Identifier: Apache-2.0
// Which bounds checks the loads and stores of a block need. Addresses are followed symbolically:
// what lies at known distances from one value of a register is checked together, what lies at a
// constant address not at all. In a block that loops to itself, the registers that move by a
// constant in each round let the checks of many rounds be made at once; one that ends the loop may
// tell how many there are.
// Only scalar accesses are planned; vector accesses check for themselves. Pure functions.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include <d1/emulator/engine_options.hpp>

#include "engine/code_image.hpp"

namespace d1::emulator {

struct AccessPlan {
  enum class Check : std::uint8_t {
    Own,     // of this access alone
    Group,   // of `low` to `end`, which later accesses need too
    Covered  // was done before, or is not needed
  };
  struct Access {
    Check check = Check::Own;
    std::int64_t low = 0, end = 0;  // bytes from the value of the base register
  };
  // What a loop ends by: a register that moves by a power of two in each round, and becomes equal
  // to another, or to x0.
  struct Count {
    std::uint8_t counter = 0, limit = 0;
    std::int64_t step = 0;  // 0: not known
  };
  // A register that addresses memory in each round of a loop.
  struct Base {
    std::uint8_t guest = 0;
    std::int64_t step = 0;          // bytes it moves by in a round
    std::int64_t low = 0, end = 0;  // bytes from its value at the beginning of a round
  };

  explicit AccessPlan(std::pmr::memory_resource& memory)
      : accesses(&memory), bases(&memory), loop_accesses(&memory) {}

  std::pmr::vector<Access> accesses;  // by operation of the block
  // Of a loop: what is to be checked before the rounds, and the checks that are left within.
  std::pmr::vector<Base> bases;
  std::pmr::vector<Access> loop_accesses;
  std::uint32_t rounds = 0;  // that one check is for
  Count count;

  [[nodiscard]] bool counts() const noexcept { return count.step != 0; }
  [[nodiscard]] bool hoists() const noexcept { return !bases.empty() || counts(); }
};

// Bytes of a scalar load or store, integer or float of 32 and 64 bits; 0 for all else.
[[nodiscard]] unsigned scalar_access_bytes(isa::InstructionId id) noexcept;

// What the translator emits in place, at a level of the host: only such an access can check for
// others.
[[nodiscard]] bool is_planned(isa::InstructionId id, HostLevel level) noexcept;

// For guest memory of `window_bytes` from `window_base` on. The plan is made in `memory`.
[[nodiscard]] AccessPlan plan_accesses(const Block& block, HostLevel level,
                                       std::uint64_t window_base, std::uint64_t window_bytes,
                                       std::pmr::memory_resource& memory);

}  // namespace d1::emulator
