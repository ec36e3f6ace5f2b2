// SPDX-License-Identifier: Apache-2.0
#include "reduction.hpp"

#include <algorithm>

namespace d1::difftest {

namespace {

using Differs = std::function<bool(const Program&)>;

// Takes the candidate if it still differs.
bool take(Program& program, Program candidate, const Differs& differs) {
  if (!differs(candidate)) return false;
  program = std::move(candidate);
  return true;
}

void keep_one_round(Program& program, const Differs& differs) {
  // What differs first, differs in the last round that was run; but perhaps only after the others.
  for (std::size_t i = program.rounds.size(); i-- > 0 && program.rounds.size() > 1;) {
    Program candidate = program;
    candidate.rounds = {program.rounds[i]};
    if (take(program, std::move(candidate), differs)) return;
  }
}

bool drop_rounds_and_turns(Program& program, const Differs& differs) {
  bool changed = false;
  for (std::size_t i = program.rounds.size(); i-- > 0 && program.rounds.size() > 1;) {
    Program candidate = program;
    candidate.rounds.erase(candidate.rounds.begin() + static_cast<std::ptrdiff_t>(i));
    changed |= take(program, std::move(candidate), differs);
  }
  for (std::size_t round = 0; round < program.rounds.size(); ++round)
    for (std::size_t i = program.rounds[round].budgets.size(); i-- > 0;) {
      if (program.rounds[round].budgets.size() == 1) break;
      Program candidate = program;
      auto& budgets = candidate.rounds[round].budgets;
      budgets.erase(budgets.begin() + static_cast<std::ptrdiff_t>(i));
      changed |= take(program, std::move(candidate), differs);
    }
  return changed;
}

// Halves first, then single items.
bool drop_items(Program& program, const Differs& differs) {
  bool changed = false;
  for (std::size_t count = std::max<std::size_t>(program.items.size() / 2, 1);; count /= 2) {
    for (std::size_t first = 0; first + count <= program.items.size() && program.items.size() > 1;)
      if (take(program, without(program, first, count), differs))
        changed = true;
      else
        first += count;
    if (count <= 1) return changed;
  }
}

bool split_items(Program& program, const Differs& differs) {
  bool changed = false;
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    Code& code = program.items[i].code;
    if (program.items[i].kind != Item::Kind::Plain) continue;
    for (std::size_t at = 0; at < code.size();) {
      const std::size_t parcels = (code[at] & 3) == 3 ? 2 : 1;
      if (parcels >= program.items[i].code.size()) break;
      Program candidate = program;
      Code& less = candidate.items[i].code;
      less.erase(less.begin() + static_cast<std::ptrdiff_t>(at),
                 less.begin() + static_cast<std::ptrdiff_t>(std::min(at + parcels, less.size())));
      if (take(program, std::move(candidate), differs))
        changed = true;
      else
        at += parcels;
    }
  }
  return changed;
}

}  // namespace

Program reduce(Program program, const Differs& differs) {
  keep_one_round(program, differs);
  constexpr unsigned kPasses = 8;
  for (unsigned pass = 0; pass < kPasses; ++pass) {
    bool changed = drop_rounds_and_turns(program, differs);
    changed |= drop_items(program, differs);
    changed |= split_items(program, differs);
    if (!changed) break;
  }
  return program;
}

}  // namespace d1::difftest
