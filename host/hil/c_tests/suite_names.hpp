// SPDX-License-Identifier: Apache-2.0
// The names of suites and cases, the same by whatever runner: the host's and the nodes'.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace d1::hil {

// Suites that share a name get their file's in front, and a number where that is not enough.
template <typename Suite>
void give_unique_names(std::vector<Suite>& found) {
  std::map<std::string, int> uses;
  for (const Suite& suite : found) ++uses[suite.name];
  for (Suite& suite : found) {
    if (uses[suite.name] > 1) suite.name = std::string(suite.file.name) + "/" + suite.name;
  }
  std::map<std::string, int> seen;
  for (Suite& suite : found) {
    if (const int number = ++seen[suite.name]; number > 1) {
      suite.name += "/" + std::to_string(number);
    }
  }
}

// For the tests of one group, in their order: the second one called so is NAME/2.
class CaseNames {
 public:
  std::string next(const std::string& name) {
    const int number = ++seen_[name];
    return number > 1 ? name + "/" + std::to_string(number) : name;
  }

 private:
  std::map<std::string, int> seen_;
};

}  // namespace d1::hil
