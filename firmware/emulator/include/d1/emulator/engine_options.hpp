// SPDX-License-Identifier: Apache-2.0
// Which execution engine runs the harts, and how. Engines differ in speed alone: registers, memory,
// traps, retired instructions and cycle counts are the same, whatever stands here. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <d1/base/error.hpp>

namespace d1::emulator {

enum class EngineKind : std::uint8_t {
  Interpreter,  // the reference; runs on every host
  Translator,   // turns hot code into host code; the interpreter where the host has no support
  Lockstep      // both, compared as they go; a difference ends the process with a report
};

// What of the host translated code may use. Each level includes those before it.
enum class HostLevel : std::uint8_t {
  Portable,  // any x86-64
  Avx2,      // x86-64-v3: AVX2, FMA, BMI2
  Avx512     // x86-64-v4 and AVX512-BF16 where present
};

// How translated code reaches the memory of its hart.
enum class MemoryBase : std::uint8_t {
  Segment,  // the base of gs; where threads may set it by an instruction (FSGSBASE)
  Register  // a register, which the guest then has one less of
};

// When EngineKind::Lockstep compares registers. (Memory always at the ends of turns.)
enum class LockstepUnit : std::uint8_t {
  Block,  // after each block, which names the culprit; nothing is linked or kept across blocks
  Turn    // after each turn, so whole regions and their links are compared
};

struct EngineOptions {
  EngineKind kind = EngineKind::Translator;
  HostLevel level = HostLevel::Avx512;  // the host's own level where that is lower
  MemoryBase memory_base = MemoryBase::Segment;  // Register where the host has no other
  // How often a block is interpreted before it is translated. 0: never interpreted first.
  std::uint32_t runs_before_translation = 24;
  std::size_t code_bytes = std::size_t{64} << 20;  // of host code kept; when full, all is dropped
  LockstepUnit lockstep_unit = LockstepUnit::Block;
  // Counts exits of translated code and calls of semantics functions for EngineStatistics, at the
  // cost of an addition each.
  bool count_execution = false;
  // Translated code is told of by name: to perf in /tmp/perf-PID.map, to gdb by its JIT interface.
  bool perf_map = false, gdb_jit = false;

  [[nodiscard]] bool names_code() const noexcept { return perf_map || gdb_jit; }
};

// "interp", "dbt" or "lockstep"; "portable", "avx2" or "avx512". Nothing for other names.
[[nodiscard]] std::optional<EngineKind> engine_kind_of(std::string_view name) noexcept;
[[nodiscard]] std::optional<HostLevel> host_level_of(std::string_view name) noexcept;
// The other way round.
[[nodiscard]] std::string_view name_of(EngineKind kind) noexcept;
[[nodiscard]] std::string_view name_of(HostLevel level) noexcept;
[[nodiscard]] std::string_view name_of(MemoryBase base) noexcept;

// The best level of this host.
[[nodiscard]] HostLevel detect_host_level() noexcept;
[[nodiscard]] MemoryBase detect_memory_base() noexcept;

// The options that the environment asks for, so that whole suites run with either engine:
// D1_ENGINE, D1_HOST_LEVEL and D1_MEMORY_BASE (names as above, others are ignored),
// D1_TRANSLATE_AFTER, a number for runs_before_translation, D1_LOCKSTEP_UNIT, "block" or "turn",
// D1_PERF_MAP and D1_GDB_JIT, which are on unless empty or 0.
[[nodiscard]] EngineOptions engine_options_from_environment() noexcept;

// The same for who is asked by a person: the engine of that name, or where that is empty the one
// D1_ENGINE names. Names that stand for nothing, here or in the environment, are errors.
[[nodiscard]] Result<EngineOptions> engine_options_for(std::string_view engine);

}  // namespace d1::emulator
