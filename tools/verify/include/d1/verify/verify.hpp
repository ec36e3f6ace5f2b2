// SPDX-License-Identifier: Apache-2.0
// The time model, verified: for each of its rows a micro-benchmark that runs on the emulated
// machine, through driver and runtime as any program does, beside the number that follows from the
// machine's parameters by a closed formula, and the figure that was published.
// One thread at a time; a run takes some seconds of host time.
#pragma once

#include <d1/base/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace d1::verify {

struct Check {
  std::string name;
  std::string unit;
  double model = 0;          // measured
  double formula = 0;        // in the same unit
  std::string formula_text;  // with the numbers put in
  double tolerance = 0;      // relative, of model to formula; 0: they are equal
  std::optional<double> published = {};
  std::string source = {};  // of the published figure
  [[nodiscard]] bool exact() const { return tolerance == 0; }
  // The model does what the formula says, and the formula what was published (but for rounding).
  [[nodiscard]] bool holds() const;
};

// How far a published figure may stand from the formula: they were rounded for print.
inline constexpr double kPublishedTolerance = 0.02;

struct CheckGroup {
  std::string name;
  std::function<Result<std::vector<Check>>()> run;
};

// In the order in which they are best shown. Each opens the machine it needs.
[[nodiscard]] std::vector<CheckGroup> check_groups();

}  // namespace d1::verify
