// SPDX-License-Identifier: Apache-2.0
#include <d1/emulator/engine_statistics.hpp>

namespace d1::emulator {

namespace {

double ratio(double part, double whole) noexcept { return whole == 0 ? 0 : part / whole; }

StatisticGroup parts(std::string name, const std::vector<NamedCount>& counts) {
  StatisticGroup group{std::move(name), StatisticGroup::Kind::Parts, {}};
  for (const NamedCount& each : counts) group.entries.push_back({each.name, each.count});
  return group;
}

StatisticGroup describe(const TranslationStatistics& translation) {
  const auto instructions = static_cast<double>(translation.instructions);
  const double seconds = std::chrono::duration<double>(translation.time).count();
  return {"translation",
          StatisticGroup::Kind::Facts,
          {{"regions", translation.regions},
           {"rejected_regions", translation.rejected_regions},
           {"guest_instructions", translation.instructions},
           {"guest_bytes", translation.guest_bytes, "B"},
           {"code_bytes", translation.code_bytes, "B"},
           {"code_bytes_per_guest_byte", ratio(static_cast<double>(translation.code_bytes),
                                               static_cast<double>(translation.guest_bytes))},
           {"links", translation.links},
           {"cache_drops", translation.cache_drops},
           {"host_time_ms", 1000 * seconds},
           {"guest_instructions_per_second", ratio(instructions, seconds), "/s"}}};
}

}  // namespace

Statistics describe(const EngineStatistics& statistics) {
  const auto& translation = statistics.translation;
  Statistics groups{{"engine",
                     StatisticGroup::Kind::Facts,
                     {{"name", std::string(name_of(statistics.kind))}}}};
  const auto tell = [&engine = groups.front().entries](std::string name, auto value) {
    engine.push_back({std::move(name), std::move(value)});
  };
  if (translation) tell("host_level", std::string(name_of(translation->level)));
  tell("blocks_decoded", statistics.blocks_decoded);
  tell("instructions_retired", statistics.retired);
  if (!translation) return groups;
  if (const auto& execution = translation->execution) {
    tell("retired_by_translated_code", execution->retired);
    tell("retired_by_interpreter", statistics.retired - execution->retired);
  }
  groups.push_back(describe(*translation));
  if (const auto& execution = translation->execution) {
    groups.push_back(parts("exits", execution->exits));
    groups.push_back(parts("helpers", execution->helpers));
  }
  return groups;
}

}  // namespace d1::emulator
