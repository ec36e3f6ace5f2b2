// SPDX-License-Identifier: Apache-2.0
// Runs batches of cases on both sides, compares every register, CSR and byte of memory, and shrinks
// what differs to the least that still does.
#pragma once

#include <string>
#include <vector>

#include "image.hpp"

namespace d1::difftest {

struct Outcomes {
  std::vector<Block> ours, oracle;
};

class Comparer {
 public:
  Comparer(OracleRun::Options options, std::filesystem::path folder)
      : options_(std::move(options)), folder_(std::move(folder)) {}

  [[nodiscard]] Result<Outcomes> run(std::span<const Case> cases) const;
  // The least steps and state that still differ.
  [[nodiscard]] Case shrink(Case failing) const;
  // Everything a person needs to see the difference: instructions, state before, both results.
  [[nodiscard]] std::string report(const Case& failing) const;

 private:
  [[nodiscard]] std::vector<bool> differ(std::span<const Case> cases) const;
  void shrink_steps(Case& failing) const;
  void shrink_state(Case& failing) const;

  ImageBuilder builder_;
  OracleRun::Options options_;
  std::filesystem::path folder_;
};

// One line for each difference; empty where both sides agree.
[[nodiscard]] std::vector<std::string> differences(const Case& each, const Block& ours,
                                                   const Block& oracle);

}  // namespace d1::difftest
