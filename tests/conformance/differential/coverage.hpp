// SPDX-License-Identifier: Apache-2.0
// Which cells have been compared, and how often: instruction x SEW x LMUL x mask x policy x
// rounding. Not for several threads.
#pragma once

#include <cstdint>
#include <string>

#include "case.hpp"

namespace d1::difftest {

class Coverage {
 public:
  explicit Coverage(std::vector<Cell> cells);  // those that are legal
  // Counts the steps of a case that both sides agree on and that did what their cell says.
  void add(const Case& each, const Block& result);
  [[nodiscard]] const std::vector<Cell>& cells() const noexcept { return cells_; }
  [[nodiscard]] std::vector<Cell> missing() const;
  // A line for each instruction: cells hit of cells there are, the least and all hits.
  [[nodiscard]] std::string table() const;

 private:
  std::vector<Cell> cells_;  // sorted
  std::vector<std::uint32_t> hits_;
};

}  // namespace d1::difftest
