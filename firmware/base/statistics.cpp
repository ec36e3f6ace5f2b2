// SPDX-License-Identifier: Apache-2.0
#include <d1/base/statistics.hpp>

namespace d1 {

double number_of(const Statistics& statistics, std::string_view group,
                 std::string_view name) noexcept {
  for (const StatisticGroup& each : statistics) {
    if (each.name != group) continue;
    for (const Statistic& entry : each.entries) {
      if (entry.name != name) continue;
      if (const auto* count = std::get_if<std::uint64_t>(&entry.value))
        return static_cast<double>(*count);
      if (const auto* measure = std::get_if<double>(&entry.value)) return *measure;
    }
  }
  return 0;
}

}  // namespace d1
