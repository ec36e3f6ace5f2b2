// SPDX-License-Identifier: Apache-2.0
#include "statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "command.hpp"

namespace d1::tools {
namespace {

constexpr std::size_t kPartsShown = 12;  // documents have all

std::string in_words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string value_of(const Statistic& statistic) {
  if (const auto* text = std::get_if<std::string>(&statistic.value)) return *text;
  if (const auto* count = std::get_if<std::uint64_t>(&statistic.value))
    return statistic.unit.empty() ? std::to_string(*count)
                                  : with_unit(static_cast<double>(*count), statistic.unit);
  return with_unit(std::get<double>(statistic.value), statistic.unit);
}

void add_facts(std::string& text, const StatisticGroup& group) {
  for (const Statistic& each : group.entries)
    text += fmt::format("  {:<30} {:>16}\n", in_words(each.name), value_of(each));
}

std::uint64_t count_of(const Statistic& part) { return std::get<std::uint64_t>(part.value); }

std::uint64_t sum_of(std::span<const Statistic> parts) {
  std::uint64_t sum = 0;
  for (const Statistic& each : parts) sum += count_of(each);
  return sum;
}

void add_parts(std::string& text, const StatisticGroup& group) {
  const std::span<const Statistic> parts(group.entries);
  const auto whole = static_cast<double>(sum_of(parts));
  const auto line = [&](const std::string& name, std::uint64_t count) {
    text += fmt::format("  {:<30} {:>16} {:>6.1f} %\n", name, count,
                        100 * static_cast<double>(count) / whole);
  };
  const std::size_t shown = std::min(parts.size(), kPartsShown);
  for (const Statistic& each : parts.first(shown)) line(in_words(each.name), count_of(each));
  if (shown < parts.size())
    line(fmt::format("{} others", parts.size() - shown), sum_of(parts.subspan(shown)));
  if (parts.empty()) text += "  none\n";
}

}  // namespace

std::string text_of(const Statistics& statistics) {
  std::string text;
  for (const StatisticGroup& group : statistics) {
    text += in_words(group.name) + "\n";
    if (group.kind == StatisticGroup::Kind::Parts) add_parts(text, group);
    else add_facts(text, group);
  }
  return text;
}

nlohmann::ordered_json document_of(const Statistics& statistics) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  for (const StatisticGroup& group : statistics) {
    nlohmann::ordered_json& members = document[group.name] = nlohmann::ordered_json::object();
    for (const Statistic& each : group.entries)
      std::visit([&](const auto& value) { members[each.name] = value; }, each.value);
  }
  return document;
}

}  // namespace d1::tools
