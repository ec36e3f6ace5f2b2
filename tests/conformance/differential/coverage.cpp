// SPDX-License-Identifier: Apache-2.0
#include "coverage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace d1::difftest {

namespace {

// Values of a dimension that occur in an instruction's cells.
template <typename Get>
std::size_t extent(std::span<const Cell> cells, Get&& get) {
  std::set<int> values;
  for (const Cell& cell : cells) values.insert(get(cell));
  return values.size();
}

}  // namespace

Coverage::Coverage(std::vector<Cell> cells) : cells_(std::move(cells)) {
  std::ranges::sort(cells_);
  hits_.resize(cells_.size());
}

void Coverage::add(const Case& each, const Block& result) {
  std::uint64_t at = 0;
  for (const Step& step : each.steps) {
    const std::uint64_t first = at, end = at + 2 * step.code.size();
    at = end;
    if (!step.counts || result.traps > kTrapLogEntries) continue;
    const auto trapped = [&](const TrapEntry& entry) {
      return entry.cause != 0 && entry.pc >= first && entry.pc < end;
    };
    // A breakpoint is meant to trap.
    if (step.cell.id != InstructionId::ebreak && std::ranges::any_of(result.log, trapped)) continue;
    const auto found = std::ranges::lower_bound(cells_, step.cell);
    if (found != cells_.end() && *found == step.cell)
      ++hits_[static_cast<std::size_t>(found - cells_.begin())];
  }
}

std::vector<Cell> Coverage::missing() const {
  std::vector<Cell> result;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    if (hits_[i] == 0) result.push_back(cells_[i]);
  return result;
}

std::string Coverage::table() const {
  std::string text = fmt::format(
      "{:<20} {:>4} {:>4} {:>5} {:>5} {:>7} {:>9} {:>7} {:>6} {:>6} {:>9}\n", "instruction", "nf",
      "SEW", "LMUL", "mask", "policy", "rounding", "cells", "hit", "least", "all hits");
  for (std::size_t first = 0; first < cells_.size();) {
    std::size_t end = first;
    while (end < cells_.size() && cells_[end].id == cells_[first].id &&
           cells_[end].compressed == cells_[first].compressed)
      ++end;
    const std::span<const Cell> part(cells_.data() + first, end - first);
    std::uint64_t all = 0, hit = 0;
    std::uint32_t least = ~std::uint32_t{0};
    for (std::size_t i = first; i < end; ++i) {
      all += hits_[i];
      hit += hits_[i] != 0 ? 1 : 0;
      least = std::min(least, hits_[i]);
    }
    const std::string name = name_of({.id = part[0].id, .compressed = part[0].compressed});
    text += fmt::format(
        "{:<20} {:>4} {:>4} {:>5} {:>5} {:>7} {:>9} {:>7} {:>6} {:>6} {:>9}\n",
        name.substr(0, name.find(' ')), extent(part, [](const Cell& c) { return c.fields; }),
        extent(part, [](const Cell& c) { return c.sew_log2; }),
        extent(part, [](const Cell& c) { return c.lmul_log2; }),
        extent(part, [](const Cell& c) { return c.masked; }),
        extent(part, [](const Cell& c) { return c.policy; }),
        extent(part, [](const Cell& c) { return c.rounding; }), part.size(), hit, least, all);
    first = end;
  }
  return text;
}

}  // namespace d1::difftest
