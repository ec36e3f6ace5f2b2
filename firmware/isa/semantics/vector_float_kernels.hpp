// SPDX-License-Identifier: Apache-2.0
// Loops over whole 64-byte packets of lanes, compiled once for each level of host CPU.
//
// They are plain host arithmetic under the guest's MXCSR (d1/isa/float_environment.hpp): rounding
// follows it and flags gather there. Every lane is computed, so callers pass only packets whose
// lanes are all active. NaN results are canonical. Result and sources may be the same registers.
// No state; any thread that runs under a guest MXCSR may call them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace d1::isa::vector_float {

// Packets to read: step is 64, or 0 to read one packet (a splatted scalar) again and again.
struct PacketStream {
  const std::uint8_t* bytes;
  std::size_t step;
};

using UnaryKernel = void (*)(std::uint8_t* result, PacketStream source, std::size_t packets);
using BinaryKernel = void (*)(std::uint8_t* result, PacketStream left, PacketStream right,
                              std::size_t packets);
// Gives true if a lane multiplied infinity by zero and added a quiet NaN: the flag NV is due then,
// and the host did not raise it.
using FusedKernel = bool (*)(std::uint8_t* result, PacketStream left, PacketStream right,
                             PacketStream addend, std::size_t packets);

// Null where the host has no such instructions: callers go element by element then.
struct LaneKernels {
  BinaryKernel add, subtract, multiply, divide;
  UnaryKernel square_root;
  // Index: 1 negates the product, 2 the addend.
  FusedKernel fused[4];
  // From the format half as wide, exactly; signaling NaNs raise NV. Of the source 32 bytes make a
  // packet, and NaNs need not become canonical.
  UnaryKernel widen;
};

struct Kernels {
  LaneKernels f16, f32, f64;
};

// The best set for this host.
[[nodiscard]] const Kernels& kernels() noexcept;

// The sets by level; only those the host supports may be called.
extern const Kernels kKernelsBaseline;  // x86-64
extern const Kernels kKernelsV3;        // AVX2 and FMA
extern const Kernels kKernelsV4;        // AVX-512

}  // namespace d1::isa::vector_float
