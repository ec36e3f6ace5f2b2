// SPDX-License-Identifier: Apache-2.0
// What translated code and the translator tell each other: places in a block, exits, registers.
// Plain data; written while the translator's lock is held, then read by anyone.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <d1/emulator/engine_options.hpp>
#include <d1/isa/semantics/table.hpp>

#include "engine/code_image.hpp"

namespace d1::emulator {

// Why translated code was left: Hart::exit_reason.
enum class ExitReason : std::uint8_t {
  Leave,   // hart.pc has no host code, or is in no known image
  Link,    // the same, and exit_detail is the Link that leads there
  Budget,  // the turn is over
  Guard,   // the code at hart.pc relies on something that is missing: see Reliance
  Rest,    // the interpreter is to go on within a block, at the Site in exit_detail
  State,   // vtype or vl is not what the region of the Link in exit_detail was made for
  Outcome  // plus an isa::Outcome: how the instruction of the Site in exit_detail ended
};

// What translated code relies on: bits of Hart::not_reliable. All of it can change only while
// no translated code runs.
enum Reliance : std::uint8_t {
  kFloatReady = 1,   // FS is Dirty, and MXCSR rounds as frm says
  kVectorReady = 2   // VS is Dirty, vstart is 0, and agnostic elements are undisturbed
};

struct Link;

// An instruction that translated code leaves to its semantics function, or to the interpreter with
// the rest of its block.
struct Site {
  isa::Semantics semantics;
  const isa::Operation* operation;
  const Block* block;
  // Occupancy of what ran before it in its block and stands in no table, since vtype decides: at
  // the end of a block translated code adds all of it at once.
  UnitTicks charged{};
  bool charges = true;  // the semantics' own occupancy is added when they run
  const std::uint8_t* back = nullptr;  // where code goes on, if it calls them as others do
  Link* link = nullptr;  // the jump that leads here until it leads to host code of that rest
};

// A jump to a known address outside its region: `displacement`, the last four bytes of a jmp (in
// writable memory), leads to an exit until the address has host code.
struct Link {
  std::uint8_t* displacement;
  std::uint64_t pc = 0;      // the address
  std::uint32_t misses = 0;  // how often a region's check of its state, or a vset*, led here
  CodeImage* image = nullptr;  // of the rest of a block
};

// Which guest registers live in host registers, at all times in translated code.
struct PinnedRegister {
  std::uint8_t guest, host;  // numbers
};
// The ones that compilers use most: arguments, a6, sp, s0, s1.
inline constexpr std::array<PinnedRegister, 10> kPinned = {{
    {10, 3},   // a0: rbx
    {11, 6},   // a1: rsi
    {12, 7},   // a2: rdi
    {13, 8},   // a3: r8
    {14, 9},   // a4: r9
    {15, 10},  // a5: r10
    {16, 11},  // a6: r11
    {2, 12},   // sp: r12
    {8, 13},   // s0: r13
    {9, 14},   // s1: r14
}};
// On MemoryBase::Register r14 has another use.
[[nodiscard]] inline std::span<const PinnedRegister> pinned_registers(MemoryBase base) noexcept {
  return std::span(kPinned).first(base == MemoryBase::Segment ? kPinned.size()
                                                              : kPinned.size() - 1);
}

}  // namespace d1::emulator
