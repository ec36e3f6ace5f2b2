// SPDX-License-Identifier: Apache-2.0
// What an execution engine did: how much it decoded and translated, and where translated code had
// to be left. About the emulation on this host, nothing that a device has: so it does not travel
// through the contract (firmware/abi). Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <d1/base/statistics.hpp>
#include <d1/emulator/engine_options.hpp>

namespace d1::emulator {

struct NamedCount {
  std::string name;
  std::uint64_t count = 0;
};

// Where translated code spends its turns.
struct TranslatedExecution {
  std::uint64_t retired = 0;        // instructions, by translated code alone
  std::vector<NamedCount> exits;    // from translated code, by cause, the most first
  std::vector<NamedCount> helpers;  // calls of semantics functions, by mnemonic, the most first
};

// How often an instruction was translated: to host code of its own, or to a call of its semantics
// function.
struct TranslatedInstruction {
  std::string name;  // mnemonic
  std::uint64_t in_line = 0, called = 0;
};

struct TranslationStatistics {
  HostLevel level = HostLevel::Portable;  // what of the host the code uses
  // Since the engine was made, what was dropped included.
  std::uint64_t regions = 0;
  std::uint64_t instructions = 0;      // of the guest, in regions; again in each region
  std::uint64_t guest_bytes = 0;       // of these instructions
  std::uint64_t code_bytes = 0;        // of host code, constants included
  std::uint64_t rejected_regions = 0;  // that the interpreter does as well, or that found no room
  std::uint64_t links = 0;             // jumps that were led from region to region
  std::uint64_t cache_drops = 0;       // how often all code was dropped
  // Of the host's cores, spent translating. Whole numbers: engines count while the guest's
  // floating-point environment is loaded, whose flags a sum of doubles would raise.
  std::chrono::nanoseconds time{0};
  std::vector<TranslatedInstruction> emitted;  // by the order of the instruction table
  std::optional<TranslatedExecution> execution;  // where EngineOptions::count_execution is set
};

struct EngineStatistics {
  EngineKind kind = EngineKind::Interpreter;  // the one that runs
  std::uint64_t blocks_decoded = 0;
  std::uint64_t retired = 0;  // instructions
  std::optional<TranslationStatistics> translation;
};

// For people and documents: the groups `engine`, `translation`, `exits`, `helpers`, the last two
// where execution was counted.
[[nodiscard]] Statistics describe(const EngineStatistics& statistics);

}  // namespace d1::emulator
