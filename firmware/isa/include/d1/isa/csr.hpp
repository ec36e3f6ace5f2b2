// SPDX-License-Identifier: Apache-2.0
// Control and status registers: names, access rules and values. What there is stands in
// table/csr.def. A hart's registers are touched by the thread that runs the hart; nothing locks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <d1/isa/instruction.hpp>

namespace d1::isa {

// misa: XLEN 64 and one bit for each single-letter extension.
consteval std::uint64_t misa_of(const char* letters) {
  std::uint64_t value = std::uint64_t{2} << 62;
  for (; *letters != 0; ++letters) value |= std::uint64_t{1} << (*letters - 'A');
  return value;
}
inline constexpr std::uint64_t kMisa = misa_of("ACDFIMVX");

enum class CsrNeeds : std::uint8_t { Nothing, Float, Vector };
enum class CsrKeeper : std::uint8_t { Hart, Constant, Environment, Action };

struct CsrFacts {
  std::uint16_t first, last;  // numbers; the same for a single register
  const char* name;           // a run of registers: the prefix of the name
  int index;                  // a run: the number behind the first one's name; -1: no run
  CsrNeeds needs;
  CsrKeeper keeper;
  std::uint64_t reset, writable;
  Outcome effect;
  const char* meaning;
};

// The table's line for a number, or null where there is no such register.
[[nodiscard]] const CsrFacts* csr_facts(unsigned number) noexcept;

// "mstatus", "mhpmcounter3"; empty where there is no such register.
[[nodiscard]] std::string csr_name(unsigned number);

// Reads a register as an instruction would. False: illegal (no such register, unit is off).
[[nodiscard]] bool csr_read(Hart& hart, unsigned number, std::uint64_t& value);

// Writes a register as an instruction would. False: illegal (also: a read-only number), and nothing
// has changed. A write to minstret shows from the instruction after the writing one on.
[[nodiscard]] bool csr_write(Hart& hart, unsigned number, std::uint64_t value);

// Emulated time at the start of the instruction that runs now: since the last settlement a hart has
// taken as long as its issue, or the unit it kept busiest, whichever is longer. (What others of
// the node did to the units comes in when the account is settled.)
[[nodiscard]] inline std::uint64_t ticks_now(const Hart& hart) noexcept {
  std::uint64_t elapsed = hart.work;
  for (unsigned unit = 0; unit < kUnits; ++unit)
    elapsed = std::max<std::uint64_t>(elapsed, hart.units[unit]);
  return hart.clock + elapsed;
}
[[nodiscard]] inline std::uint64_t cycles_now(const Hart& hart) noexcept {
  return ticks_now(hart) / kTicksPerCycle;
}

// Sets every register that a hart keeps to its value at reset, and drops its reservation. The
// integer, floating-point and vector registers, pc, clock and status are left to the caller.
void csr_reset(Hart& hart);

}  // namespace d1::isa
