// SPDX-License-Identifier: Apache-2.0
// The time model of instructions. Time is counted in ticks, isa::kTicksPerCycle a cycle.
//
// A stretch is straight-line code: it begins at the target of a jump, after every branch, jump or
// synchronising instruction (taken or not), at every CSR access and Xd1 system instruction, and
// after kStretchLimit instructions. Cost belongs to the instruction within its stretch, whatever
// blocks an engine makes of it:
//   issue      1 tick (four a cycle) plus the stall until its operands are ready, by an in-order
//              scoreboard that starts empty with the stretch (register_use.hpp; latencies:
//              instruction table)
//   occupancy  ticks it keeps its shared unit busy; the units of a node are shared by its harts
// A hart's time is the larger of its issue time and of what each unit allows (see settle()).
// Peaks come from d1-facts 1: 2 ALUs, 2 address units, 1 SIMD, 1 matrix unit, 2 load and 1 store
// port of 64 bytes. Latencies, and which instruction uses what, are this project's own.
//
// Everything here follows from the tables of firmware/isa: unit, latency, encoding, register
// groups. Pure functions, but for what settle() is given; no locks.
#pragma once

#include <array>
#include <span>

#include <d1/isa/instruction.hpp>

namespace d1::emulator {

inline constexpr unsigned kStretchLimit = 64;
// From this latency on a unit is taken to iterate: it is busy as long as the result takes.
inline constexpr unsigned kIterativeLatency = 12;

using UnitTicks = std::array<std::uint32_t, 8>;  // by isa::Unit

// What the occupancy of an instruction is multiplied by, from vtype and vl.
enum class Scale : std::uint8_t {
  Fixed,      // 1 always: also instructions whose registers stand in the encoding
  Registers,  // registers of the widest operand's group
  Memory,     // registers' worth of data: EEW/SEW * LMUL, times the fields of a segment
  Elements    // elements: strided and indexed accesses
};

struct UnitCost {
  isa::Unit unit = isa::Unit::None;  // None: only issue
  isa::Unit port = isa::Unit::None;  // vector memory: the SRAM port used too
  std::uint16_t unit_ticks = 0;      // for each item of `scale`
  std::uint16_t port_ticks = 0;
  std::uint16_t once_ticks = 0;  // of the unit, once whatever the scale; not with Fixed
  Scale scale = Scale::Fixed;
  std::uint8_t eew_log2 = 0;       // Memory: element width of the access, bits
  std::uint8_t widening_log2 = 0;  // Registers: the widest operand's group to LMUL
};

[[nodiscard]] const UnitCost& unit_cost(isa::InstructionId id) noexcept;

// Issue ticks of each operation of a stretch, stalls included.
void issue_costs(std::span<const isa::Operation> stretch, std::span<std::uint16_t> ticks);

// Adds the occupancy of an operation whose Scale is not Fixed, under this vtype and vl.
void add_varying_ticks(const isa::Operation& operation, const isa::VectorType& type,
                       std::uint64_t vl, UnitTicks& ticks) noexcept;
// Adds the occupancy of such an operation that ran to the hart's account.
void charge_units(isa::Hart& hart, const isa::Operation& operation) noexcept;

// Ticks of all units in a span: 16 bits each by isa::Unit, four to a word, so that few operations
// add or compare all of them. In the place of Unit::None stands whose ticks they are: the low bits
// of the span's number. So what is forgotten need not be visited.
struct SpanTicks {
  std::array<std::uint64_t, 2> words;

  static constexpr unsigned kNumberShift = 48;
  [[nodiscard]] static SpanTicks none_of(std::uint64_t span) noexcept {
    return {{0, span << kNumberShift}};
  }
  [[nodiscard]] bool is_of(std::uint64_t span) const noexcept {
    return ((words[1] ^ span << kNumberShift) >> kNumberShift) == 0;
  }

  [[nodiscard]] std::uint64_t of(unsigned unit) const noexcept {
    return words[unit / 4] >> unit % 4 * 16 & 0xffff;
  }
  void add(unsigned unit, std::uint64_t ticks) noexcept {
    words[unit / 4] += ticks << unit % 4 * 16;
  }
  void add(const SpanTicks& other) noexcept {
    words[0] += other.words[0];
    words[1] += other.words[1];
  }
};

// The units of a node, as its harts take turns at them: how much of each short span of time is
// taken. Spans and not one point from which on a unit is free, because turns do not come in the
// order of time: a hart that waited goes on behind one that ran to the quantum's end meanwhile.
struct UnitShare {
  static constexpr std::uint64_t kSpanTicks = 64 * isa::kTicksPerCycle;
  static constexpr std::uint64_t kSpans = 32;  // remembered: a quantum of the standard machine

  std::uint64_t first = 0;  // number of the earliest span remembered
  std::array<SpanTicks, kSpans> taken{};  // by span % kSpans
  std::array<std::uint64_t, 8> busy{};  // ticks of work since the node was first woken
};

// Closes the hart's account: its clock moves by its issue time, by what it used of each unit, and
// at least to where each unit had room for it. Work is spread evenly over the turn; what finds a
// span full moves to later ones. So no span holds more work than the unit can do, and a unit cannot
// save up idle time beyond the span in which it was idle.
void settle(isa::Hart& hart, UnitShare& share) noexcept;

}  // namespace d1::emulator
