// SPDX-License-Identifier: Apache-2.0
// Which registers an operation reads and writes, for the scoreboard of the time model.
//
// Whole groups count. Those of Xd1 are fixed (isa::xd1_groups); those of whole-register moves and
// accesses stand in the encoding; those of all other vector instructions follow from vtype, which
// is known behind a vsetvli or vsetivli of the same stretch. Where it is not, only the register
// that is named counts, so a dependence through another register of the group costs nothing there.
// What an operation leaves undisturbed (tail, masked-off elements) does not count as read.
// Pure functions.
#pragma once

#include <array>

#include <d1/isa/instruction.hpp>

namespace d1::emulator {

// Integer registers come first.
inline constexpr unsigned kFloatScoreboard = 32, kVectorScoreboard = 64, kScoreboardRegisters = 96;

struct RegisterRange {
  std::uint8_t first = 0;
  std::uint8_t count = 0;
};

struct RegisterUse {
  std::array<RegisterRange, 6> reads{};
  unsigned read_count = 0;
  RegisterRange write{};  // count 0: none
};

// What a stretch knows of vtype at some point.
struct KnownType {
  bool known = false;
  isa::VectorType type{};

  // The operation was passed.
  void follow(const isa::Operation& operation) noexcept;
};

// How many registers an operand's group has: LMUL shifted by so much, or one register only.
inline constexpr std::int8_t kOneRegister = 127;
struct GroupShape {
  std::int8_t vd = 0, vs1 = 0, vs2 = 0;
};
// Of a vector arithmetic instruction (V and what builds on it), from its encoding.
[[nodiscard]] GroupShape group_shape(isa::InstructionId id) noexcept;

[[nodiscard]] RegisterUse register_use(const isa::Operation& operation, const KnownType& type);

// The integer register that it writes; 0: none.
[[nodiscard]] unsigned written_integer(const isa::Operation& operation) noexcept;

// Vector memory instructions, from their encoding.
enum class VectorAccess : std::uint8_t { None, UnitStride, WholeRegister, Mask, Strided, Indexed };
struct VectorAccessForm {
  VectorAccess kind = VectorAccess::None;
  bool store = false;
  std::uint8_t eew_log2 = 0;   // bits; of the indices where it is Indexed
  std::uint8_t registers = 0;  // WholeRegister
};
[[nodiscard]] VectorAccessForm vector_access(isa::InstructionId id) noexcept;

// Registers that a whole-register move moves; 0 for every other instruction.
[[nodiscard]] unsigned whole_move_registers(isa::InstructionId id) noexcept;

}  // namespace d1::emulator
