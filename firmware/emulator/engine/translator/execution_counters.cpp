// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/execution_counters.hpp"

#include <algorithm>
#include <string>

namespace d1::emulator {

namespace {

// By Hart::exit_reason.
constexpr std::array kReasonNames = {
    "leave",        "link",         "budget",       "guard",
    "rest",         "state",        "outcome_next", "outcome_jump",
    "outcome_trap", "outcome_park", "outcome_sync", "outcome_stop"};

// Those that happened, the most first.
template <std::size_t Size, typename NameOf>
std::vector<NamedCount> named(const std::array<std::uint64_t, Size>& counts,
                              const NameOf& name_of) {
  std::vector<NamedCount> found;
  for (unsigned i = 0; i < Size; ++i)
    if (counts[i] != 0) found.push_back({std::string(name_of(i)), counts[i]});
  std::ranges::stable_sort(found, std::ranges::greater{}, &NamedCount::count);
  return found;
}

}  // namespace

TranslatedExecution ExecutionCounters::read() const {
  static_assert(kReasonNames.size() == kReasons);
  std::array<std::uint64_t, kReasons> exits{};
  std::array<std::uint64_t, kInstructions> helpers{};
  TranslatedExecution execution;
  const auto value = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  threads_.for_each([&](const Counts& counts) {
    for (unsigned i = 0; i < kReasons; ++i) exits[i] += value(counts.exits[i]);
    for (unsigned i = 0; i < kInstructions; ++i) helpers[i] += value(counts.helpers[i]);
    execution.retired += value(counts.retired);
  });
  execution.exits = named(exits, [](unsigned i) { return kReasonNames[i]; });
  execution.helpers = named(
      helpers, [](unsigned i) { return isa::facts(static_cast<isa::InstructionId>(i)).mnemonic; });
  return execution;
}

}  // namespace d1::emulator
