// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <fmt/format.h>
#include <d1/emulator/fault_plan.hpp>

#include <fstream>
#include <iterator>
#include <string>

namespace d1::emulator {
namespace {

TEST(FaultDocumentation, SaysOfEachKindWhatAnApplicationSees) {
  std::ifstream file(D1_TEST_FAULTS);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(text.empty());
  for (const FaultKindInfo& kind : fault_kinds()) {
    const std::string row = fmt::format("| `{}` | {} | {} |\n", kind.name, kind.what, kind.seen);
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace d1::emulator
