// SPDX-License-Identifier: Apache-2.0
// Figures about how something was carried out: for people, documents and benchmarks, never for
// decisions. Whoever has some names them; whoever shows them needs to know no names.
// Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace d1 {

struct Statistic {
  std::string name;  // snake_case: a key of documents, and words for people
  std::variant<std::uint64_t, double, std::string> value;  // counts; measures; words
  std::string unit = {};  // empty: a count, or words
};

struct StatisticGroup {
  enum class Kind : std::uint8_t {
    Facts,  // in the order in which they are best read
    Parts   // counts of a whole, the largest first
  };
  std::string name;
  Kind kind = Kind::Facts;
  std::vector<Statistic> entries;
};

using Statistics = std::vector<StatisticGroup>;

// The number of that name; 0 where there is none, or it is words.
[[nodiscard]] double number_of(const Statistics& statistics, std::string_view group,
                               std::string_view name) noexcept;

}  // namespace d1
