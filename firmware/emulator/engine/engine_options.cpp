// SPDX-License-Identifier: Apache-2.0
#include <d1/emulator/engine_options.hpp>

#include <cstdlib>

namespace d1::emulator {

std::optional<EngineKind> engine_kind_of(std::string_view name) noexcept {
  if (name == "interp") return EngineKind::Interpreter;
  if (name == "dbt") return EngineKind::Translator;
  return std::nullopt;
}

std::optional<HostLevel> host_level_of(std::string_view name) noexcept {
  if (name == "portable") return HostLevel::Portable;
  if (name == "avx2") return HostLevel::Avx2;
  if (name == "avx512") return HostLevel::Avx512;
  return std::nullopt;
}

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

EngineOptions engine_options_from_environment() noexcept {
  EngineOptions options;
  if (const char* name = std::getenv("D1_ENGINE"))
    options.kind = engine_kind_of(name).value_or(options.kind);
  if (const char* name = std::getenv("D1_HOST_LEVEL"))
    options.level = host_level_of(name).value_or(options.level);
  if (const char* runs = std::getenv("D1_TRANSLATE_AFTER"))
    options.runs_before_translation = static_cast<std::uint32_t>(std::strtoul(runs, nullptr, 10));
  return options;
}

}  // namespace d1::emulator
