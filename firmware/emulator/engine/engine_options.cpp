// SPDX-License-Identifier: Apache-2.0
#include <d1/emulator/engine_options.hpp>

#include <fmt/format.h>
#include <sys/auxv.h>

#include <array>
#include <cstdlib>
#include <string>

namespace d1::emulator {

namespace {

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};
constexpr std::array kEngines = {Named{"interp", EngineKind::Interpreter},
                                 Named{"dbt", EngineKind::Translator},
                                 Named{"lockstep", EngineKind::Lockstep}};
constexpr std::array kLevels = {Named{"portable", HostLevel::Portable},
                                Named{"avx2", HostLevel::Avx2},
                                Named{"avx512", HostLevel::Avx512}};
constexpr std::array kBases = {Named{"segment", MemoryBase::Segment},
                               Named{"register", MemoryBase::Register}};
constexpr std::array kUnits = {Named{"block", LockstepUnit::Block},
                               Named{"turn", LockstepUnit::Turn}};

template <typename Table>
auto find_value(const Table& table, std::string_view name) noexcept
    -> std::optional<decltype(table[0].value)> {
  for (const auto& each : table)
    if (each.name == name) return each.value;
  return std::nullopt;
}

template <typename Table, typename Value>
std::string_view find_name(const Table& table, Value value) noexcept {
  for (const auto& each : table)
    if (each.value == value) return each.name;
  return {};
}

// What an environment variable says; empty where it says nothing.
std::string_view environment(const char* variable) noexcept {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : "";
}

bool is_on(const char* variable) noexcept {
  const std::string_view value = environment(variable);
  return !value.empty() && value != "0";
}

// Takes the name where there is one.
template <typename Table, typename Value>
Result<> choose(std::string_view asked, const char* variable, std::string_view what,
                const Table& table, Value& value) {
  const std::string_view name = asked.empty() ? environment(variable) : asked;
  if (name.empty()) return {};
  const auto found = find_value(table, name);
  if (found) {
    value = *found;
    return {};
  }
  std::string known;
  for (const auto& each : table)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
  return fail(ErrorKind::Invalid,
              fmt::format("There is no {} named '{}'{}; known are: {}.", what, name,
                          asked.empty() ? fmt::format(" (as {} asks for)", variable) : "", known));
}

}  // namespace

std::optional<EngineKind> engine_kind_of(std::string_view name) noexcept {
  return find_value(kEngines, name);
}
std::optional<HostLevel> host_level_of(std::string_view name) noexcept {
  return find_value(kLevels, name);
}
std::string_view name_of(EngineKind kind) noexcept { return find_name(kEngines, kind); }
std::string_view name_of(HostLevel level) noexcept { return find_name(kLevels, level); }
std::string_view name_of(MemoryBase base) noexcept { return find_name(kBases, base); }

HostLevel detect_host_level() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (!avx2) return HostLevel::Portable;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
  return avx512 ? HostLevel::Avx512 : HostLevel::Avx2;
#else
  return HostLevel::Portable;
#endif
}

MemoryBase detect_memory_base() noexcept {
#if defined(__x86_64__)
  constexpr unsigned long kFsGsBase = 2;  // HWCAP2_FSGSBASE of <asm/hwcap2.h>
  if ((getauxval(AT_HWCAP2) & kFsGsBase) != 0) return MemoryBase::Segment;
#endif
  return MemoryBase::Register;
}

EngineOptions engine_options_from_environment() noexcept {
  EngineOptions options;
  options.kind = engine_kind_of(environment("D1_ENGINE")).value_or(options.kind);
  options.level = host_level_of(environment("D1_HOST_LEVEL")).value_or(options.level);
  options.memory_base =
      find_value(kBases, environment("D1_MEMORY_BASE")).value_or(options.memory_base);
  options.perf_map = is_on("D1_PERF_MAP");
  options.gdb_jit = is_on("D1_GDB_JIT");
  if (const char* runs = std::getenv("D1_TRANSLATE_AFTER"))
    options.runs_before_translation = static_cast<std::uint32_t>(std::strtoul(runs, nullptr, 10));
  options.lockstep_unit =
      find_value(kUnits, environment("D1_LOCKSTEP_UNIT")).value_or(options.lockstep_unit);
  return options;
}

Result<EngineOptions> engine_options_for(std::string_view engine) {
  EngineOptions options = engine_options_from_environment();
  if (auto chosen = choose(engine, "D1_ENGINE", "engine", kEngines, options.kind); !chosen)
    return std::unexpected(std::move(chosen.error()));
  if (auto chosen = choose({}, "D1_HOST_LEVEL", "host level", kLevels, options.level); !chosen)
    return std::unexpected(std::move(chosen.error()));
  if (auto chosen = choose({}, "D1_MEMORY_BASE", "base of memory", kBases, options.memory_base);
      !chosen)
    return std::unexpected(std::move(chosen.error()));
  if (auto chosen =
          choose({}, "D1_LOCKSTEP_UNIT", "unit of lockstep", kUnits, options.lockstep_unit);
      !chosen)
    return std::unexpected(std::move(chosen.error()));
  return options;
}

}  // namespace d1::emulator
