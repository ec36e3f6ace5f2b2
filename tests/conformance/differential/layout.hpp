// SPDX-License-Identifier: Apache-2.0
// Where everything lies in the program image that both sides run, and the block that carries one
// case's state in and out. Addresses are fixed, so that cases do not depend on their place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace d1::difftest {

inline constexpr std::uint64_t kCodeBase = 0x10000000;  // run-time code, then the cases
inline constexpr std::uint64_t kCodeBytes = 0x02000000;
inline constexpr std::uint64_t kBlockBase = 0x12000000;  // one Block a case
inline constexpr std::uint64_t kDataBase = 0x1ff00000;   // Globals, tables of indices, a stack
inline constexpr std::uint64_t kTableBase = kDataBase + 0x10000;
inline constexpr std::uint64_t kStackBytes = 0x10000;
inline constexpr std::uint64_t kStackBase = kDataBase + 0x40000;
inline constexpr std::uint64_t kMemoryEnd = 0x20000000;  // nothing is mapped from here on
// What memory instructions work on: the last bytes there are, so that running over faults.
inline constexpr unsigned kArenaBytes = 2048;
inline constexpr std::uint64_t kArena = kMemoryEnd - kArenaBytes;
inline constexpr std::uint64_t kPageBytes = 4096;

// Tables of indices for indexed accesses: variants of eight registers for each index width.
inline constexpr unsigned kTableVariants = 8;
inline constexpr unsigned kTableBytes = 512;
inline constexpr unsigned kIndexLimit = 1024;  // indices are below (8-bit ones below 256)

inline constexpr unsigned kTrapLogEntries = 12;

struct TrapEntry {
  std::uint64_t pc;     // absolute; the host makes it relative to the case's code
  std::uint64_t cause;  // mcause, or the number of the signal
  bool operator==(const TrapEntry&) const = default;
};

struct Block {
  std::uint64_t prologue, code;  // addresses, for the run-time code
  std::uint64_t fcsr, vcsr, vl, vtype, vstart;
  std::uint64_t traps;  // how many, of which the first are in the log
  std::array<TrapEntry, kTrapLogEntries> log;
  std::array<std::uint64_t, 32> x, f;
  std::array<std::array<std::uint8_t, 64>, 32> v;
  std::array<std::uint8_t, kArenaBytes> arena;
};
static_assert(sizeof(Block) % 64 == 0);

// What the run-time code keeps, at kDataBase.
struct Globals {
  std::uint64_t current;                                     // address of the block in work
  std::uint64_t end;                                         // behind the last block
  std::uint64_t bare;                                        // 1 where there is no operating system
  std::uint64_t to_host;                                     // how a run without one ends
  std::array<std::uint64_t, 8> saved;                        // registers of the trap handler
  std::array<std::uint64_t, 4> signal_action, signal_stack;  // structures of the kernel's calls
};

// One register of every case is the pointer to its block and not compared; x2 upwards, so that
// the return address and the others change places from case to case.
inline constexpr unsigned kFirstPointer = 1, kPointers = 31;

}  // namespace d1::difftest
