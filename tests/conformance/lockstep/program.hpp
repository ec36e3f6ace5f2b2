// SPDX-License-Identifier: Apache-2.0
// A program of the tester: items in a row, some of which lead to others, and how it is run. Items
// can be left out one by one, which is how programs are reduced: what led to one that is gone leads
// to the one behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../differential/assembler.hpp"
#include "../differential/compressed.hpp"
#include "../differential/layout.hpp"

namespace d1::difftest {

// Where a program lies in the window [kDataBase, kMemoryEnd): what its instructions reach with one
// compare. Code and data share it, so programs can write their own code.
inline constexpr std::uint64_t kProgramBase = kDataBase + 0x80000, kProgramBytes = 0x8000;
inline constexpr std::uint64_t kHandlerBytes = 0x100;           // at the program's base
inline constexpr std::uint64_t kSaveArea = kDataBase + 0x8000;  // of the handler
inline constexpr std::uint64_t kMiddleArena = kDataBase + 0x40000, kMiddleArenaBytes = 8192;
// Memory that only the environment reaches.
inline constexpr std::uint64_t kOutside = 0x30000000, kOutsideBytes = 4096;

inline constexpr std::uint64_t kInterrupt = 0x10000;  // bit of mip that software may clear

inline constexpr int kNowhere = -1;

struct Item {
  Code code;              // one instruction, or some that belong together
  int target = kNowhere;  // the item that the first one, a branch or jump, leads to
  // How the target goes into the code. Address: auipc and addi of a register.
  enum class Kind : std::uint8_t { Plain, Branch, Jump, Address, Compressed } kind = Kind::Plain;
  const CompressedInstruction* line = nullptr;  // of Compressed
};

// From when the harness sets the hart's state until it does so again.
struct Round {
  int entry = 0;  // the item where the hart begins
  std::uint64_t state_seed = 0;
  std::vector<std::uint32_t> budgets;  // of turns, in ticks
  bool interrupts = false;             // some turns begin with one
  // vtype when it begins, as SEW and LMUL, with the full length; else one by the seed.
  std::optional<std::pair<int, int>> type;
};

struct Program {
  std::vector<Item> items;
  Code handler;
  std::vector<unsigned> pointers;  // registers that hold addresses when a round begins
  std::uint64_t data_seed = 0;
  unsigned width_log2 = 0;  // of most elements in registers and memory; 0: any
  std::vector<Round> rounds;
};

struct Assembled {
  std::vector<std::uint8_t> bytes;       // from kProgramBase on: handler, then items
  std::vector<std::uint64_t> addresses;  // of items, and of what is behind them
};

// Branches whose target is too far away lead to the next instruction.
[[nodiscard]] Assembled assemble(const Program& program);

// The program without the items [first, first + count).
[[nodiscard]] Program without(const Program& program, std::size_t first, std::size_t count);

// As assembly, with addresses; items that lead somewhere say where.
[[nodiscard]] std::string to_text(const Program& program);

}  // namespace d1::difftest
