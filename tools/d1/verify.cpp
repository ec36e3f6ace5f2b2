// SPDX-License-Identifier: Apache-2.0
#include "verify.hpp"

#include <d1/verify/verify.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace d1::tools {
namespace {

using nlohmann::ordered_json;
using verify::Check;

std::string published_of(const Check& check) {
  if (!check.published) return "not published";
  return fmt::format("published {:.6g} ({})", *check.published, check.source);
}

void print_group(const std::string& name, const std::vector<Check>& checks) {
  fmt::print("{}\n", name);
  for (const Check& check : checks) {
    const std::string tolerance =
        check.exact() ? "exact" : fmt::format("within {:.2g} %", 100 * check.tolerance);
    fmt::print("  {:<40} {:>10.6g} {:<9}  formula {:>8.6g} = {:<48} {:<13} {:<32} {}\n",
               check.name, check.model, check.unit, check.formula, check.formula_text, tolerance,
               published_of(check), check.holds() ? "holds" : "DOES NOT HOLD");
  }
}

ordered_json to_json(const std::string& group, const Check& check) {
  ordered_json row = {{"group", group},
                      {"name", check.name},
                      {"unit", check.unit},
                      {"model", check.model},
                      {"formula", check.formula},
                      {"formula_text", check.formula_text},
                      {"tolerance", check.tolerance}};
  if (check.published) {
    row["published"] = *check.published;
    row["source"] = check.source;
  }
  row["holds"] = check.holds();
  return row;
}

}  // namespace

Result<int> verify_time_model(ReportFormat format) {
  ordered_json rows = ordered_json::array();
  std::size_t failed = 0, total = 0;
  for (const verify::CheckGroup& group : verify::check_groups()) {
    auto checks = group.run();
    if (!checks)
      return pass_on(checks, fmt::format("verifying the time model of the {}", group.name));
    for (const Check& check : *checks) {
      ++total;
      failed += check.holds() ? 0 : 1;
      if (format == ReportFormat::Json) rows.push_back(to_json(group.name, check));
    }
    if (format == ReportFormat::Text) print_group(group.name, *checks);
    std::fflush(stdout);
  }
  if (format == ReportFormat::Json)
    print_json({{"checks", std::move(rows)}, {"failed", failed}});
  else
    fmt::print(
        "{} of {} rows hold: the model does what the formula says, and the formula is within "
        "{} % of what was published.\n",
        total - failed, total, 100 * verify::kPublishedTolerance);
  return failed == 0 ? kSuccess : kFailure;
}

}  // namespace d1::tools
