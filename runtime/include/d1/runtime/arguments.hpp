// SPDX-License-Identifier: Apache-2.0
// Kernel arguments: what the host gives, checked against the kernel's signature and laid out as the
// calling convention lp64d wants them. Plain values; nothing here allocates on success or waits.
#pragma once

#include <d1/abi/mailbox.h>
#include <d1/base/error.hpp>
#include <d1/runtime/signature.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <variant>

namespace d1::runtime {

// A buffer as a kernel sees it (d1/abi/placement.h).
struct BufferArgument {
  Placement placement = Placement::Sharded;
  ElementAccess access = ElementAccess::ReadWrite;
  ElementType type;           // kind Class and 0 bytes: raw bytes that fit any element type
  std::uint64_t address = 0;  // SRAM offset; device address for hbm and on_node
  std::uint64_t bytes = 0;    // of the whole buffer
};

struct PointerArgument {
  std::uint64_t address = 0;  // in the node's address space
};

using Argument = std::variant<std::int64_t, std::uint64_t, double, PointerArgument, BufferArgument>;

// The argument part of struct d1_launch.
struct ArgumentBlock {
  std::uint32_t slots = 0;
  std::uint32_t floats = 0;
  std::array<std::uint64_t, D1_KERNEL_FLOAT_ARGUMENTS> float_argument;
  std::array<std::uint64_t, D1_KERNEL_ARGUMENTS> argument;
};

// Numbers convert where the value survives (a double may lose precision as a float, as in C++);
// everything else must match. The error names kernel, parameter, what it takes and what was given.
[[nodiscard]] Result<> marshal(const Signature& signature, std::span<const Argument> arguments,
                               ArgumentBlock& block);

}  // namespace d1::runtime
